// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Images that are costly to decode: whoever wants one gets the one that exists. The two used last stay decoded
// when nobody holds them, until memory gets scarce.

#include "mete/object/cache.h"
#include "mete/alloc/heap.h"
#include "mete/core/crc.h"
#include "mete/object/ref.h"

#include <stdio.h>
#include <string.h>

typedef struct image {
    char name[16];
    unsigned char pixels[200];
} image_t;

METE_HEAP_DEFINE(app, 4096);
static mete_ref_t kind;

static uint32_t hash(void *self, const void *key)
{
    (void)self;
    return mete_crc32(0U, key, strlen(key));
}

static bool equals(void *self, const void *key, const void *object)
{
    (void)self;
    return strcmp(((const image_t *)object)->name, key) == 0;
}

METE_CACHE_DEFINE(images, 16, 4, 2, hash, equals);  // 16 slots, 4 to look at, 2 pinned.

static void show(const char *name)
{
    image_t *image = mete_cache_find(&images, name);
    printf("%-6s %s\n", name, (image != NULL) ? "found" : "decoded");
    if ((image == NULL) && ((image = mete_ref_alloc(&kind)) != NULL)) {
        (void)snprintf(image->name, sizeof image->name, "%s", name);
        mete_cache_insert(&images, name, image, 0U);
    }
    mete_ref_drop(&kind, image);
}

int main(void)
{
    static const mete_ref_config_t config = {.object_size = sizeof(image_t), .align = 8U};
    (void)mete_ref_init(&kind, mete_heap_as_alloc(mete_heap_init(&app_config)), &config);
    (void)mete_cache_init(&images, mete_ref_as_shared(&kind), &images_config);
    static const char *const names[] = {"logo", "sun", "logo", "rain", "logo", "sun"};
    for (size_t i = 0U; i < sizeof names / sizeof names[0]; i++) {
        show(names[i]);
    }
    printf("in memory: %zu\n", mete_ref_usage(&kind).in_use);
    printf("purged %zu, ", mete_cache_purge(&images, 255U, 2U));
    printf("in memory: %zu\n", mete_ref_usage(&kind).in_use);
    return 0;
}
