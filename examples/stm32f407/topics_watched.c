// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What works with few watchers works with all of them; and what only they see.

#include "examples/stm32f407/topics.h"

const topic_t topics[] = {
    {"heap", heap_topic},
    {"pools", pools_topic},
    {"stack", stack_topic},
    {"leaks", leaks_topic},
    {"fragmentation", fragmentation_topic},
    {"watchers", watchers_topic},
    {"protection", protection_topic},
    {"objects", objects_topic},
    {"references", references_topic},
};
const size_t topic_count = sizeof topics / sizeof *topics;
