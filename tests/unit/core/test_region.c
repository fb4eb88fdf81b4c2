// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/region.h"

#include "tests/support/tap.h"

static void test_has_all_that_is_required_and_may_have_more(void)
{
    const mete_region_t region = {{NULL, 0U}, METE_REGION_DMA | METE_REGION_RETAINED};
    EXPECT(mete_region_has_all(&region, 0U) && mete_region_has_all(&region, METE_REGION_DMA));
    EXPECT(mete_region_has_all(&region, METE_REGION_DMA | METE_REGION_RETAINED));
    EXPECT(!mete_region_has_all(&region, METE_REGION_FAST));
    EXPECT(!mete_region_has_all(&region, METE_REGION_DMA | METE_REGION_FAST));
    EXPECT(!mete_region_has_all(&region, METE_REGION_ALL));
}

static void test_every_attribute_is_one_bit_and_all_are_listed(void)
{
    static const uint32_t attributes[] = {
        METE_REGION_DMA,      METE_REGION_EXECUTABLE, METE_REGION_RETAINED, METE_REGION_FAST,
        METE_REGION_EXTERNAL, METE_REGION_ENCRYPTED,  METE_REGION_SHARED,   METE_REGION_CACHEABLE,
    };
    uint32_t all = 0U;
    for (size_t i = 0U; i < sizeof attributes / sizeof attributes[0]; i++) {
        EXPECT((attributes[i] & (attributes[i] - 1U)) == 0U);
        EXPECT((all & attributes[i]) == 0U);
        all |= attributes[i];
    }
    EXPECT(all == METE_REGION_ALL);
}

int main(void)
{
    RUN(test_has_all_that_is_required_and_may_have_more);
    RUN(test_every_attribute_is_one_bit_and_all_are_listed);
    return tap_finish();
}
