// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/io/semihosting.h"

#include <stdint.h>

enum { OPEN = 0x01, CLOSE = 0x02, WRITE0 = 0x04, WRITE = 0x05, READ = 0x06, EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026 };
enum { CHUNK_SIZE = 64 };

#if defined(__riscv)
// The three instructions must be uncompressed and in one page: hence a function of their own, aligned.
__attribute__((naked, noinline, aligned(16))) static intptr_t call(uintptr_t operation,
                                                                   const void *argument)
{
    (void)operation, (void)argument;
    __asm volatile(".option push        \n\t"
                   ".option norvc       \n\t"
                   "slli x0, x0, 0x1f   \n\t"
                   "ebreak              \n\t"
                   "srai x0, x0, 7      \n\t"
                   "ret                 \n\t"
                   ".option pop");
}
#else
static intptr_t call(uintptr_t operation, const void *argument)
{
    register uintptr_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (intptr_t)r0;
}
#endif

size_t mete_semihosting_write_text(void *self, const void *bytes, size_t size)
{
    (void)self;
    const char *const text = bytes;
    char chunk[CHUNK_SIZE + 1];
    size_t length = 0U;
    for (size_t i = 0U; i < size; i++) {
        if (text[i] != '\0') {
            chunk[length] = text[i];
            length++;
        }
        if ((length == CHUNK_SIZE) || (i + 1U == size)) {
            chunk[length] = '\0';
            (void)call(WRITE0, chunk);
            length = 0U;
        }
    }
    return size;
}

void mete_semihosting_exit(int code)
{
    const uintptr_t block[2] = {APPLICATION_EXIT, (uintptr_t)code};
    (void)call(EXIT_EXTENDED, block);
    for (;;) {
        // The host has ended us, or does not know the call: there is nothing left to do.
    }
}

bool mete_semihosting_open(mete_semihosting_file_t *file, const char *path,
                           mete_semihosting_mode_t mode)
{
    size_t length = 0U;
    while (path[length] != '\0') {
        length++;
    }
    const uintptr_t block[3] = {(uintptr_t)path, (uintptr_t)mode, length};
    file->handle = (int)call(OPEN, block);
    return file->handle >= 0;
}

// The host returns how much it did not do; more than `size` means that it did nothing.
static size_t transfer(uintptr_t operation, int handle, uintptr_t address, size_t size)
{
    const uintptr_t block[3] = {(uintptr_t)handle, address, size};
    const size_t left = (size_t)call(operation, block);
    return (left <= size) ? size - left : 0U;
}

size_t mete_semihosting_write(void *self, const void *bytes, size_t size)
{
    const mete_semihosting_file_t *const file = self;
    return transfer(WRITE, file->handle, (uintptr_t)bytes, size);
}

size_t mete_semihosting_read(mete_semihosting_file_t *file, void *bytes, size_t size)
{
    return transfer(READ, file->handle, (uintptr_t)bytes, size);
}

bool mete_semihosting_close(mete_semihosting_file_t *file)
{
    const uintptr_t block[1] = {(uintptr_t)file->handle};
    file->handle = -1;
    return call(CLOSE, block) == 0;
}
