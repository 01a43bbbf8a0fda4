#!/bin/sh
# SPDX-License-Identifier: MIT
# trace.sh - traces of real programs: their events agree with each other, every format that
# comes out is read by its own consumer, and files that are no traces are refused.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
unset GOAD_TRACE GOAD_SCHEDTRACE GOAD_DEBUG

$cc -O2 -shared -fPIC -D_GNU_SOURCE -I"$src/include" -o mixed.so "$src/tests/tools/trace_work.c" 2>err &&
	shared_object "$src/examples/hogs/storm.c" storm.so ||
	{ cat err >&2; exit 77; }

# field NAME: of the summary in out
field () {
	sed -n "s/.*\"$1\":\([0-9a-z]*\).*/\1/p" out | head -n 1
}

# sound WHAT TRACE: no event contradicts another one.  Where some are lost that is not known.
sound () {
	run trace summary --format=json "$2"
	if test "$code" = 0 && test "$(field lost)" != 0; then
		skip "$1" "$(field lost) events were lost"
	elif test "$code" = 0 && test "$(field problems)" = 0 && test "$(field complete)" = true; then
		ok "$1"
	else
		not_ok "$1"
	fi
}

# ---- the command line
expect 'no verb' 2 '' 'Usage: goad trace' trace
expect 'help' 0 'summary' '' trace --help
expect 'unknown verb' 2 '' "'sumary': the nearest is 'summary'" trace sumary
expect 'help of a verb' 0 'perfetto' '' trace convert --help
expect 'unknown option' 2 '' "'--crome': the nearest is '--chrome'" trace convert --crome x
expect 'no format' 2 '' 'give one of --chrome' trace convert x
expect 'two formats' 2 '' 'give one of --chrome' trace convert --csv --chrome x
expect 'bad time' 2 '' "'5' is not a time" trace show --from 5 x
expect 'no file' 99 '' 'No such file' trace summary nothing.trace
expect 'record nothing' 2 '' 'no PROGRAM' trace record
expect 'record what is not there' 127 '' 'No such file' trace record -o t.x -- ./none
expect 'record who does not use goad' 99 '' 'does it use goad' trace record -o t.x -- true
expect 'record who fails' 7 '' '' trace record -o t.x -- sh -c 'exit 7'
expect 'record into nothing' 2 '' "/nonexistent/t" trace record -o /nonexistent/t -- true
expect 'run --trace into nothing' 2 '' "--trace '/nonexistent/t'" run --trace /nonexistent/t primes 10

# ---- what was recorded
run trace record -o a.trace -- "$GOAD" run -p 2 -q 1ms --for 400ms -n 2 spin + -n 2 ./storm.so:storm + tick 2ms
if test "$code" = 0 && test -s a.trace; then ok 'record'; else not_ok 'record'; fi
sound 'hogs, storm, ticks' a.trace
expect 'preemptions in place' 0 '"yielded":[1-9]' '' trace summary --format=json a.trace
expect 'preemptions by hand-off' 0 '"handed off":[1-9]' '' trace summary --format=json a.trace
expect 'summary' 0 '^spin#1 ' '' trace summary a.trace
expect 'the frame that decided' 0 'frame [0-9]+: goad__g_main' '' trace show --preemptions a.trace
expect 'where the signal came' 0 'the signal meets spin\+0x' '' trace show -p --go spin#1 a.trace
expect 'lanes' 0 '^P1  \|' '' trace show a.trace
expect 'events' 0 'go_preempt' '' trace show --events a.trace
expect 'events of one' 0 'spin#2' '' trace show --events --go spin#2 --number 5 a.trace
run run --trace b.trace -p 1 -q 1ms --for 200ms --preempt=yield -n 2 ./storm.so:storm
sound 'mode yield' b.trace
run run --trace c.trace -p 2 -q 100us --for 300ms -n 2 ./mixed.so:strict + spin
sound 'preemption disabled' c.trace
expect 'deferred, and why' 0 'deferred: preemption is disabled' '' trace show -p c.trace
run run --trace d.trace -p 3 -q 100us ./mixed.so:mixed 30 + ./mixed.so:mixed 30
sound 'a little of everything' d.trace
if test "$(field created)" = "$(field ended)" && test "$(field created)" -gt 200; then
	ok 'all that were made have ended'
elif test "$(field lost)" != 0; then
	skip 'all that were made have ended' 'events were lost'
else
	not_ok 'all that were made have ended'
fi
for event in go_send go_recv go_select go_sync go_net go_sleep go_join go_syscall go_sysexit go_unblock \
	world_stop world_stopped world_start procs steal timers sysmon_sleep request signal decision; do
	case $(field $event) in
	'' | 0) missing="${missing:-} $event" ;;
	esac
done
if test -z "${missing:-}"; then ok 'every kind of event'; else
	echo "# none of:$missing" && not_ok 'every kind of event'
fi
# What goes to and fro is counted: all of it is there, in less than is written of others.
# These events fit into a ring, so that none is lost wherever the tracer is.
run run --trace e.trace -p 1 ./mixed.so:swing 10000
sound 'to and fro' e.trace
if test "$(field lost)" != 0; then
	skip 'to and fro: every event' 'events were lost'
elif test "$(field go_unblock)" -ge 20000 && test "$(field go_unblock)" -lt 20500 &&
	test "$(wc -c <e.trace)" -lt 200000; then
	ok 'to and fro: every event'
else
	echo "# $(field go_unblock) readied, $(wc -c <e.trace) bytes" && not_ok 'to and fro: every event'
fi
run run --trace e.trace -p 3 -q 100us -n 3 ./mixed.so:swing 20000 + spin
sound 'to and fro, among others' e.trace
for seed in 1 2 3; do
	GOAD_DEBUG=chaos=$seed timeout 60 "$GOAD" run --trace chaos.trace -p 3 -q 100us --for 400ms \
		-n 2 ./mixed.so:mixed + ./storm.so:storm + block 1ms + spin + ./mixed.so:strict + \
		./mixed.so:swing 100000000 >/dev/null 2>&1
	sound "chaos $seed" chaos.trace
done

# ---- the formats
python=$(command -v python3)
reads () {
	if test -z "$python"; then
		skip "$1" 'no python3'
	elif "$python" -c "$2" >out 2>err; then
		ok "$1"
	else
		not_ok "$1"
	fi
}
expect 'chrome' 0 '' '' trace convert --chrome -o a.json a.trace
reads 'chrome, read by another' "
import json
r = json.load (open ('a.json'))
e = r['traceEvents']
runs = [x for x in e if x.get ('cat') == 'run']
assert {x['tid'] for x in runs} == {0, 1}
last = {}
for x in sorted (runs, key = lambda x: x['ts']):
	assert x['dur'] >= 0 and x['ts'] >= last.get (x['tid'], 0) - 0.002, x
	last[x['tid']] = x['ts'] + x['dur']
flows = [x for x in e if x.get ('cat') == 'flow']
assert len (flows) > 10 and len ({x['id'] for x in flows}) * 2 == len (flows)
assert any (x.get ('cat') == 'preempt' and x['name'] == 'handed off' for x in e)
assert any (x.get ('args', {}).get ('name') == 'P1' for x in e)
"
# Perl's is stricter in some things than Python's, as with control characters.
if perl -MJSON::PP -0777 -ne 'exit !(@{decode_json ($_)->{traceEvents}} > 10)' a.json 2>err; then
	ok 'chrome, read by a third'
else
	not_ok 'chrome, read by a third'
fi
run trace convert --csv -o a.csv a.trace
reads 'csv, read by another' "
import csv
rows = list (csv.DictReader (open ('a.csv', newline = '')))
assert len (rows) > 100 and all (None not in r and None not in r.values () for r in rows)
t = [int (r['time_ns']) for r in rows]
assert t == sorted (t)
assert {'m', 'sysmon'} <= {r['role'] for r in rows}
assert any (r['event'] == 'go_preempt' for r in rows)
"
run trace convert --folded a.trace
if test "$code" = 0 && ! grep -Evq '^P[01];[^; ]+;[^; ]+(;[^; ]+)? [0-9]+$' out && grep -q ';preempted;spin ' out; then
	ok 'folded'
else
	not_ok 'folded'
fi
run trace summary --format=json a.trace
cp out a.sum
reads 'summary, read by another' "
import json
s = json.load (open ('a.sum'))
assert s['schema'] == 'goad-trace-summary/1' and s['problems'] == 0 and len (s['coroutines']) >= 6
"
if built cairo; then
	expect 'picture' 0 '' '' trace plot a.svg a.trace
	expect 'picture, png' 0 '' '' trace plot a.png a.trace
	expect 'picture of a part' 0 '' '' trace plot --from 50ms --to 60ms part.svg a.trace
	expect 'picture of another kind' 2 '' 'must end in .svg or .png' trace plot a.gif a.trace
	run run --trace wide.trace -p 32 -q 1ms --for 200ms -n 40 spin
	expect 'picture of 32 Ps' 0 '' '' trace plot wide.svg wide.trace
	if grep -q '</svg>' a.svg && grep -q '</svg>' wide.svg; then ok 'svg'; else not_ok 'svg'; fi
	if test "$(dd if=a.png bs=1 skip=1 count=3 2>/dev/null)" = PNG; then ok 'png'; else not_ok 'png'; fi
else
	expect 'pictures not built in' 77 '' 'libcairo2-dev' trace plot a.svg a.trace
fi

# ---- files that are no traces, or not whole
echo 'something else' >foreign
: >empty
expect 'a foreign file' 99 '' 'is no trace of goad' trace summary foreign
expect 'an empty file' 99 '' 'is no trace of goad' trace summary empty
cp a.trace later.trace
printf '\003' | dd of=later.trace bs=1 seek=8 conv=notrunc 2>/dev/null
expect 'a later version' 99 '' 'has version 3 of the format; this program reads 1 and 2' trace summary later.trace
printf '\001' | dd of=later.trace bs=1 seek=8 conv=notrunc 2>/dev/null
expect 'the version before' 0 '^problems +none' '' trace summary later.trace
size=$(wc -c <a.trace)
head -c $((size - 3)) a.trace >short.trace
expect 'cut short' 0 '; the end is missing' 'ends before its end' trace summary short.trace
expect 'cut short, checked' 1 '' '' trace summary --check short.trace
head -c 64 a.trace >head.trace
expect 'the header alone' 0 '^events +0;' 'ends before' trace summary head.trace
bad=0
for i in $(seq 1 25); do
	cp a.trace fuzz.trace
	at=$((64 + (i * 7919 * 31) % (size - 64)))
	printf "\\$(printf %o $((i * 37 % 256)))" | dd of=fuzz.trace bs=1 seek=$at conv=notrunc 2>/dev/null
	timeout 20 "$GOAD" trace summary fuzz.trace >out 2>err
	case $? in 0 | 99) ;; *) bad=$((bad + 1)); cp fuzz.trace "fuzz.$i" ;; esac
	head -c $((size * i / 26)) a.trace >fuzz.trace
	timeout 20 "$GOAD" trace convert --csv fuzz.trace >out 2>err
	case $? in 0 | 99) ;; *) bad=$((bad + 1)) ;; esac
done
if test $bad = 0; then ok 'damaged files'; else echo "# $bad of 50"; not_ok 'damaged files'; fi

# ---- GOAD_SCHEDTRACE
GOAD_SCHEDTRACE=20 timeout 60 "$GOAD" run -p 2 --for 300ms -n 4 spin >out 2>err
if test "$(grep -Ec '^SCHED [0-9]+ms: gomaxprocs=2 idleprocs=[0-9]+ threads=[0-9]+ spinningthreads=[0-9]+ needspinning=0 idlethreads=[0-9]+ runqueue=[0-9]+ \[[0-9]+ [0-9]+\]$' err)" -ge 3; then
	ok 'GOAD_SCHEDTRACE'
else
	not_ok 'GOAD_SCHEDTRACE'
fi

# ---- probes
lib=$(ls "$top"/lib/.libs/libgoad.so.*.*.* 2>/dev/null | head -n 1)
if ! grep -q '^#define HAVE_SDT 1' "$top/config.h" 2>/dev/null; then
	skip 'probes' 'built without sys/sdt.h'
elif ! command -v readelf >/dev/null || test -z "$lib"; then
	skip 'probes' 'no readelf, or no shared library'
else
	readelf -n "$lib" >notes 2>err
	missing=
	for p in go_create go_start go_stop go_unblock go_syscall go_sysexit go_sysblock go_hog proc_start \
		proc_stop proc_taken request signal decision steal timers sysmon_sleep sysmon_wake \
		world_stop world_stopped world_start procs; do
		grep -A1 'Provider: goad$' notes | grep -q "Name: $p\$" || missing="$missing $p"
	done
	if test -z "$missing"; then ok 'probes'; else
		echo "# missing:$missing" && not_ok 'probes'
	fi
fi
finish
