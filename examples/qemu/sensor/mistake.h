// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_MISTAKE_H
#define SENSOR_MISTAKE_H

/// A mistake that is made on purpose, to see that it is noticed.
typedef enum mistake {
    MISTAKE_NONE,
    MISTAKE_LEAK,        ///< Now and then a batch that was sent is not freed.
    MISTAKE_REFERENCE,   ///< Now and then a reference to a packet is kept.
    MISTAKE_DEEP_STORE,  ///< Banks sleep deeply with live blocks in them,
    MISTAKE_DEEP_RADIO,  ///< or with a packet that may have to be sent again.
    MISTAKE_NO_RETRY,    ///< What was sent counts as received.
    MISTAKE_COUNT
} mistake_t;

/// Which of them is made now.
extern mistake_t mistake;

#endif
