// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_SUBJECTS_H
#define METE_EXHAUST_SUBJECTS_H

/// The subjects there are. Their scales: blocks of the pool and of the buddy, bytes of the arena, granules of a heap,
/// the list and the movable store, common slots of the partition, objects of the object pool and of the cache, blocks of the
/// references, granules of each bank of evacuation, bytes of memory behind the buffers, storages of the packet
/// buffers.

#include "tests/exhaust/exhaust.h"

extern const exhaust_subject_t exhaust_pool;
extern const exhaust_subject_t exhaust_arena;
extern const exhaust_subject_t exhaust_heap_quick;
extern const exhaust_subject_t exhaust_heap_close;
extern const exhaust_subject_t exhaust_heap_wide_quick;
extern const exhaust_subject_t exhaust_heap_wide_close;
extern const exhaust_subject_t exhaust_list;
extern const exhaust_subject_t exhaust_list_limited;
extern const exhaust_subject_t exhaust_buddy;
extern const exhaust_subject_t exhaust_movable;
extern const exhaust_subject_t exhaust_movable_resting;
extern const exhaust_subject_t exhaust_partition_by_priority;
extern const exhaust_subject_t exhaust_partition_in_order;
extern const exhaust_subject_t exhaust_object_plain;
extern const exhaust_subject_t exhaust_object_made;
extern const exhaust_subject_t exhaust_ref;
extern const exhaust_subject_t exhaust_ref_full;
extern const exhaust_subject_t exhaust_atomic_ref;
extern const exhaust_subject_t exhaust_atomic_ref_full;
extern const exhaust_subject_t exhaust_cache_same;
extern const exhaust_subject_t exhaust_cache_near;
extern const exhaust_subject_t exhaust_cache_coming_back;
extern const exhaust_subject_t exhaust_cache_pinless;
extern const exhaust_subject_t exhaust_evacuation;
extern const exhaust_subject_t exhaust_evacuation_shut;
extern const exhaust_subject_t exhaust_buffer;
extern const exhaust_subject_t exhaust_buffer_plain;
extern const exhaust_subject_t exhaust_buffer_moving;
extern const exhaust_subject_t exhaust_netbuf;
extern const exhaust_subject_t exhaust_netbuf_bytes;

#endif
