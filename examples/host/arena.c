// SPDX-License-Identifier: MIT OR Apache-2.0
//
// An arena for what dies together: each line of input is taken apart into words that live until the
// next line, while the longest word seen is kept.

#include "mete/alloc/arena.h"

#include <stdio.h>
#include <string.h>

typedef struct word {
    const struct word *next;
    char text[];
} word_t;

METE_ARENA_DEFINE(scratch, 512);

static const word_t *split(const char *line, size_t *count)
{
    const word_t *words = NULL;
    for (size_t length = 0U; *line != '\0'; line += length) {
        line += strspn(line, " ");
        length = strcspn(line, " ");
        word_t *const word = mete_arena_alloc(&scratch, sizeof(word_t) + length + 1U, 8U);
        if (word == NULL) {
            return words;
        }
        memcpy(word->text, line, length);
        word->text[length] = '\0';
        word->next = words;
        words = word;
        (*count)++;
    }
    return words;
}

int main(void)
{
    static const char *const lines[] = {"to mete is to measure", "and to hand out by measure"};
    char *const longest = mete_arena_alloc(&scratch, 16U, 1U);  // Before any scope: stays.
    if (longest == NULL) {
        return 1;
    }
    longest[0] = '\0';
    for (size_t i = 0U; i < 2U; i++) {
        METE_ARENA_SCOPE(&scratch)
        {
            size_t count = 0U;
            for (const word_t *word = split(lines[i], &count); word != NULL; word = word->next) {
                if (strlen(word->text) > strlen(longest)) {
                    (void)snprintf(longest, 16U, "%s", word->text);
                }
            }
            printf("\"%s\": %zu words\n", lines[i], count);
        }
        printf("after the scope %zu bytes in use\n", mete_arena_usage(&scratch).in_use_size);
    }
    printf("longest word: \"%s\"\n", longest);
    return 0;
}
