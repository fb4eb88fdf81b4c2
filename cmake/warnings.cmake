# SPDX-License-Identifier: MIT OR Apache-2.0
# What every file of the project is compiled with. Users of the library inherit none of it.
set(METE_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Wcast-align -Wcast-qual
    -Wwrite-strings -Wpointer-arith -Wvla -Wdouble-promotion -Wformat=2
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition>)
if(METE_WERROR)
    list(APPEND METE_WARNINGS -Werror)
endif()
