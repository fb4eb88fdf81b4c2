# SPDX-License-Identifier: MIT OR Apache-2.0
# mete_firmware(TARGET BOARD): makes an executable a firmware image for a machine of port/board/.
# Start-up code and the port of the board are linked in; nothing of libc is.
function(mete_firmware target board)
    target_link_libraries(${target} PUBLIC mete_port_${board})
endfunction()
