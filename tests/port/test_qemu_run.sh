#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# test_qemu_run.sh QEMU_RUN: gives the runner an emulator that says and returns what the test wants.
qemu_run=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/qemu-system-arm" <<'FAKE'
#!/bin/sh
sleep "${FAKE_SLEEP:-0}"
printf "$FAKE_TEXT"
exit "$FAKE_CODE"
FAKE
chmod +x "$folder/qemu-system-arm"
PATH=$folder:$PATH
export FAKE_TEXT FAKE_CODE FAKE_SLEEP QEMU_TIMEOUT

number=0
failures=0
expect() { # NAME EXIT-CODE PATTERN
    name=$1 code=$2 pattern=$3
    number=$((number + 1))
    "$qemu_run" "${MACHINE:-microbit}" fw.elf >"$folder/out" 2>&1
    got=$?
    if [ $got = "$code" ] && grep -q -- "$pattern" "$folder/out"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name (exit code $got)"
        failures=$((failures + 1))
    fi
}

FAKE_TEXT='ok 1\nPASS\n' FAKE_CODE=0
expect 'PASS and 0 succeed, and the output is shown' 0 '^ok 1$'
FAKE_TEXT='PASS\r\n'
expect 'a line may end as serial ports end it' 0 PASS
FAKE_TEXT='ok 1\nnot PASS\nPASSED\n'
expect '0 without a line PASS fails, saying so' 1 'did not say PASS'
FAKE_TEXT='PASS\n' FAKE_CODE=3
expect 'PASS with another exit code fails, saying which' 1 'exit code 3'
FAKE_TEXT='' FAKE_CODE=134
expect 'a lock-up without output fails' 1 'exit code 134'
FAKE_TEXT='PASS\n' FAKE_CODE=0 FAKE_SLEEP=9 QEMU_TIMEOUT=1
expect 'what takes too long fails, saying so' 1 'longer than 1 s'
MACHINE=no-such-machine
expect 'a machine that is not known is refused' 2 'unknown machine'

echo "1..$number"
[ $failures = 0 ] && echo PASS || echo FAIL
exit $failures
