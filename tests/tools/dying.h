// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TESTS_DYING_H
#define METE_TESTS_DYING_H

// METE_CONFIG_HEADER of dying.c.

__attribute__((noreturn)) void die(int fault, const void *object, const void *address,
                                   const void *caller);

#define METE_FAULT(fault, object, address) \
    die((int)(fault), (object), (address), __builtin_return_address(0))

#endif
