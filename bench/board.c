// SPDX-License-Identifier: MIT OR Apache-2.0
#include "bench/board.h"

#include <stddef.h>

enum { SYS_WRITE0 = 0x04, SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20 };
enum { STOPPED_APPLICATION_EXIT = 0x20026 };

static uintptr_t semihosting(uint32_t operation, const void *argument)
{
    register uintptr_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = (uintptr_t)argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static _Noreturn void stop(uint32_t code)
{
    const uint32_t reason[2] = {STOPPED_APPLICATION_EXIT, code};
    semihosting(SYS_EXIT_EXTENDED, reason);
    for (;;) {
    }
}

void board_reset(void);
void board_reset(void)
{
    stop((uint32_t)bench_main());
}

static void on_exception(void)
{
    board_print("exception\n", NULL);
    stop(1U);
}

typedef void (*vector_t)(void);
extern uint32_t board_stack_end[];
__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    (vector_t)(uintptr_t)board_stack_end,
    board_reset,
    on_exception,
    on_exception,
    on_exception,
    on_exception,
    on_exception,
    on_exception,
};

typedef struct line {
    char text[256];
    size_t length;
} line_t;

static void add(line_t *line, char c)
{
    if (line->length < sizeof line->text - 1U) {
        line->text[line->length++] = c;
    }
}

static void add_number(line_t *line, uint32_t number)
{
    uint32_t power = 1000000000U;
    while ((power > 1U) && (number < power)) {
        power /= 10U;
    }
    for (; power != 0U; power /= 10U) {
        add(line, (char)('0' + (number / power) % 10U));
    }
}

void board_print(const char *text, const uint32_t *numbers)
{
    line_t line;
    line.length = 0U;
    for (; *text != '\0'; text++) {
        if (*text == '%') {
            add_number(&line, *numbers++);
        } else {
            add(&line, *text);
        }
    }
    line.text[line.length] = '\0';
    semihosting(SYS_WRITE0, line.text);
}

void board_arguments(uint32_t *numbers, uint32_t count)
{
    static char text[128];
    const struct {
        char *text;
        uint32_t size;
    } buffer = {text, sizeof text};
    semihosting(SYS_GET_CMDLINE, &buffer);
    const char *at = text;
    for (uint32_t i = 0U; i < count; i++) {
        numbers[i] = 0U;
        while ((*at != '\0') && ((*at < '0') || (*at > '9'))) {
            at++;
        }
        for (; (*at >= '0') && (*at <= '9'); at++) {
            numbers[i] = 10U * numbers[i] + (uint32_t)(*at - '0');
        }
    }
}
