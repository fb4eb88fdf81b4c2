// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A sensor's samples: from its interrupt through a ring, the last ones in a vector, a report in a string.

#include "mete/object/fixed.h"
#include "mete/core/text.h"

#include <stdio.h>

METE_FIXED_RING(incoming, int16_t, 8);
METE_FIXED_VECTOR(samples, int16_t, 6);
METE_FIXED_STRING(report, 31);

static incoming_t incoming;
static samples_t samples;
static report_t report;

static size_t sensor_interrupt(size_t count)
{
    size_t lost = 0U;
    for (size_t i = 0U; i < count; i++) {
        lost += incoming_append(&incoming, (int16_t)(i * i)) ? 0U : 1U;
    }
    return lost;
}

int main(void)
{
    printf("lost         %zu\n", sensor_interrupt(10U));
    int16_t sample = 0;
    while (!samples_is_full(&samples) && incoming_take(&incoming, &sample)) {
        (void)samples_append(&samples, sample);
    }
    printf("left behind  %zu\n", incoming_count(&incoming));
    printf("one more     %s\n", samples_append(&samples, 1) ? "fits" : "is refused");

    (void)report_append(&report, "mV:");
    for (size_t i = 0U; i < samples.count; i++) {
        (void)report_append(&report, " ");
        mete_text_decimal(report_as_sink(&report), (size_t)samples.items[i]);
    }
    printf("report       %s\n", report.text);
    return 0;
}
