// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Text and JSON share no function that a program with one of them would link in vain.

#include "mete/wrap/track_report.h"

#include "mete/core/text.h"

// The sink by pointer: some compilers copy it with memcpy() for each call it is passed to.
static void write_number(const mete_sink_t *sink, const char *before, size_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_decimal(by_value, value);
}

static void write_address(const mete_sink_t *sink, const char *before, uintptr_t address)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_hex(by_value, address);
}

// A caller is where the call returns to. One byte less lies inside the call, whatever its length; bit
// 0 is no part of the address on ARM.
static uintptr_t call_before(const void *caller)
{
    return (caller != NULL) ? ((uintptr_t)caller & ~(uintptr_t)1U) - 1U : 0U;
}

void mete_track_report_write_block(const mete_track_block_t *block, mete_sink_t sink)
{
    write_address(&sink, "leak block=", (uintptr_t)block->block);
    write_number(&sink, " size=", block->size);
    write_number(&sink, " sequence=", block->sequence);
    write_number(&sink, " age=", block->age);
    write_number(&sink, " owner=", block->owner);
    write_address(&sink, " call=", call_before(block->caller));
    if (block->is_suspect) {
        write_number(&sink, " suspect=", 1U);
    }
    for (size_t i = 0U; i < block->frame_count; i++) {
        write_address(&sink, (i == 0U) ? " frames=" : ",", (uintptr_t)block->frames[i]);
    }
    mete_text_string(sink, "\n");
}

void mete_track_report_write_block_json(const mete_track_block_t *block, mete_sink_t sink)
{
    write_address(&sink, "{\"leak\":{\"block\":\"", (uintptr_t)block->block);
    write_number(&sink, "\",\"size\":", block->size);
    write_number(&sink, ",\"sequence\":", block->sequence);
    write_number(&sink, ",\"age\":", block->age);
    write_number(&sink, ",\"owner\":", block->owner);
    write_number(&sink, ",\"suspect\":", block->is_suspect ? 1U : 0U);
    write_address(&sink, ",\"call\":\"", call_before(block->caller));
    for (size_t i = 0U; i < block->frame_count; i++) {
        write_address(&sink, (i == 0U) ? "\",\"frames\":[\"" : "\",\"",
                      (uintptr_t)block->frames[i]);
    }
    mete_text_string(sink, (block->frame_count != 0U) ? "\"]}}\n" : "\"}}\n");
}

void mete_track_report_write_total(const mete_track_total_t *total, mete_sink_t sink)
{
    write_number(&sink, "leaks count=", total->count);
    write_number(&sink, " size=", total->size);
    mete_text_string(sink, total->is_sound ? " records=sound\n" : " records=damaged\n");
}

void mete_track_report_write_total_json(const mete_track_total_t *total, mete_sink_t sink)
{
    write_number(&sink, "{\"leaks\":{\"count\":", total->count);
    write_number(&sink, ",\"size\":", total->size);
    mete_text_string(sink, total->is_sound ? ",\"records\":\"sound\"}}\n"
                                           : ",\"records\":\"damaged\"}}\n");
}
