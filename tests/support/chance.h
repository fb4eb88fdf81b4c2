// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_CHANCE_H
#define METE_TEST_CHANCE_H

/// What a model can say of a request before it is made.
typedef enum chance { MUST_FAIL, MAY_SUCCEED, MUST_SUCCEED } chance_t;

#endif
