#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh - goad run at work: results, endings, reports, bounds, pictures.  What it measures is
# judged loosely here: the bounds of fairness have tests of their own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

expect 'primes' 0 '78498 primes up to 1000000' '' run primes 1000000
expect 'primes, small' 0 '1 primes up to 2$' '' run primes 2
expect 'primes up to a prime' 0 ' 25 primes up to 97' '' run primes 97
expect 'copies' 0 'primes#3 ' '' run -n 3 primes 100000
expect 'copies of one work' 0 'mandelbrot#2 ' '' run primes 1000 + -n 2 mandelbrot 40
run run -p 2 -q 1ms -n 4 mandelbrot 150
sums=$(sed -n 's/.*checksum //p' out | sort -u | wc -l)
if test "$code" = 0 && test "$sums" -eq 1; then ok 'copies agree'; else not_ok 'copies agree'; fi
expect 'tick' 0 '^ticks +[1-9][0-9]*; late p50' '' run --for 300ms tick 1ms
expect 'block' 0 'blocked for 10.0 ms, 10 times' '' run -n 2 block 10ms
expect 'block beside a hog' 0 'blocked for 20' '' run -p 2 --for 300ms spin + block 20ms
expect 'block is no hog' 0 '[(]1 hog' '' run -p 2 --for 300ms spin + block 20ms
"$GOAD" run --for 10ms echo >out 2>err
if test $? -ne 77; then
	expect 'echo' 0 '^echoes +[1-9][0-9]*; late p50' '' run --for 300ms echo
	expect 'echoes beside hogs' 0 'echo#2 .* echoes$' '' \
		run -p 2 -q 1ms --for 500ms -n 2 spin + -n 2 echo 2ms
	expect 'echo bound' 0 'holds' '' run --for 300ms --expect 'echoes>=1,echo_max<10s' echo 5ms
else
	skip 'echo' 'no descriptors in this version'
fi
expect 'two of one kind' 0 'primes/2 ' '' run primes 10 + primes 20

if built sha256; then
	cp "$GOAD" big
	echo hello >small
	: >empty
	sum=$(cat big small empty | sha256sum | cut -d' ' -f1)
	expect 'sha256 as sha256sum' 0 "$sum" '' run sha256 big small empty
	expect 'sha256 again and again' 0 "$sum.* times" '' run --for 500ms sha256 big small empty
	sum=$(sha256sum <empty | cut -d' ' -f1)
	expect 'sha256 of nothing' 0 "$sum" '' run sha256 empty
fi
if built deflate; then
	cp "$GOAD" big
	bytes=$(wc -c <big)
	expect 'deflate' 0 "$((bytes)) bytes to [0-9]+, adler32" '' run -n 2 -q 1ms deflate big
	: >empty
	expect 'deflate of nothing' 0 '0 bytes to 8,' '' run deflate empty
fi
if built lua; then
	echo 'return "got " .. arg[1] .. " of " .. select ("#", ...)' >ok.lua
	echo 'local t = nil; return t.x' >bad.lua
	expect 'lua with arguments' 0 'got a of 2' '' run lua ok.lua a b
	expect 'lua that fails' 1 'FAILED: bad.lua:1:' 'bad.lua:1:' run lua bad.lua
	expect 'failure that is expected' 0 'failed<=1: holds' '' run --expect 'failed<=1' lua bad.lua
	expect 'endless lua' 0 'time is up' '' run --for 300ms -n 2 lua "$src/examples/hogs/endless.lua"
fi

cat >work.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int args (int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf ("%s,", argv[i]);
	memset (argv[1], 'x', strlen (argv[1]));
	return argv[argc] != NULL;
}
int three (int argc, char **argv) { (void) argc; (void) argv; return 3; }
int quits (int argc, char **argv) { (void) argc; (void) argv; exit (0); }
int talks (int argc, char **argv) { (void) argc; (void) argv; printf ("said\n"); for (;;) ; }
int holds (int argc, char **argv) { (void) argc; (void) argv; flockfile (stdout); for (;;) ; }
C
if shared_object work.c work.so; then
	expect 'arguments' 0 '^work.so:args,-a,--b,' '' run work.so:args -a --b
	expect 'argv of its own' 0 'aa,.*aa,' '' run -n 2 work.so:args aa
	expect 'function that fails' 1 'returned 3' '' run ./work.so:three
	expect 'work that calls exit' 99 '' 'called exit' run work.so:quits
	expect 'what works print is kept' 0 '^said' '' run --for 200ms work.so:talks
	expect 'stdout held by a work' 0 'still running' 'holds stdout' run --for 200ms work.so:holds
	shared_object "$src/examples/hogs/loop.c" loop.so
	shared_object "$src/examples/hogs/storm.c" storm.so
	expect 'object that knows nothing of goad' 0 'returned 0' '' run -n 3 loop.so:count 1000000
	expect 'malloc storm' 0 'returned 0' '' run -n 3 -q 1ms storm.so:storm 200000
	expect 'endless object' 0 'time is up' '' run --for 400ms -n 3 loop.so:loop + -n 2 storm.so:storm
else
	skip 'shared objects' 'no C compiler'
fi

expect 'hogs without preemption end too' 0 'time is up' '' run --for 300ms -p 1 -n 3 --preempt=off spin
expect 'starvation is seen' 1 'wait_max<=100ms: BROKEN' '' \
	run --for 300ms -p 1 -n 2 --preempt=off --expect 'wait_max<=100ms' spin
expect 'bounds that hold' 0 'signals>=0: holds' '' run --for 200ms --expect 'jain>=0,signals>=0' -n 2 spin
expect 'a bound that breaks' 1 'elapsed<=1ms: BROKEN' '' \
	run --for 200ms --expect 'jain>=0,elapsed<=1ms' spin
expect 'bounds in percent' 0 'jain>=1%: holds' '' run --for 200ms --expect 'jain>=1%' spin
expect 'weights by coroutine' 0 '^spin#3 +3 ' '' run --for 300ms -p 1 -n 3 --weights 1,1,3 spin
expect 'weights by work' 0 '^primes +0.5 ' '' run --weights 2,.5 mandelbrot 40 + primes 100

# A shell may have given us SIGINT ignored, and then it would stay so.
for signal in INT TERM; do
	timeout --preserve-status -s $signal 1 env --default-signal=$signal \
		"$GOAD" run --for 60s spin + tick 5ms >out 2>err </dev/null
	code=$?
	if test "$code" = 0 && grep -q interrupted out; then ok "SIG$signal"; else not_ok "SIG$signal"; fi
done

if GOAD_QUANTUM=often "$GOAD" run primes 10 >out 2>err; then code=0; else code=$?; fi
if test "$code" = 2; then ok 'bad environment'; else not_ok 'bad environment'; fi
run run --for 200ms spin
if grep -q "$(printf '\033')" out err; then not_ok 'no colour in a pipe'; else ok 'no colour in a pipe'; fi

if built json; then
	json='json.load (open ("out"))'
	expect 'json' 0 '"schema": "goad-run/1"' '' \
		run --format=json --for 300ms -n 2 --seed 7 --expect 'jain>=0' spin + tick 1ms
	if ! command -v python3 >/dev/null; then
		skip 'json, read by another' 'no python3'
	elif python3 -c "
import json
r = $json
assert len (r['tasks']) == 4 and r['config']['seed'] == '7' and r['ended'] == 'time'
assert r['expect'][0]['held'] is True and r['figures']['ticks'] > 10 and r['exit_code'] == 0
assert r['tasks'][0]['cpu_ns'] > 0 and r['tasks'][2]['ticks']['count'] > 0
" >err 2>&1; then ok 'json, read by another'; else not_ok 'json, read by another'; fi
else
	expect 'json not built in' 77 '' 'libjansson-dev' run --format=json spin
fi
if built cairo; then
	expect 'picture' 0 'picture +p.svg' '' run --for 300ms --plot p.svg -n 3 spin + tick 1ms
	expect 'picture of many' 0 'picture +q.PNG' '' run --plot q.PNG -n 60 primes 1000
	if grep -q '</svg>' p.svg; then ok 'svg'; else not_ok 'svg'; fi
	if test "$(dd if=q.PNG bs=1 skip=1 count=3 2>/dev/null)" = PNG; then ok 'png'; else not_ok 'png'; fi
fi
finish
