#!/bin/sh
# SPDX-License-Identifier: MIT
# starve.sh - goad starve: the catalogue, what it writes, as its readers read it, and the matrix.
# Where the host is so busy that nothing can be said a scenario is skipped, which is no failure.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# ---- the catalogue
run starve --list
count=$(grep -c '^[a-z-]*: ' out)
if test "$code" = 0 && test "$count" -ge 16; then ok 'sixteen scenarios'; else not_ok 'sixteen scenarios'; fi
if test "$(grep -cE '^    needs [a-z,-]+$' out)" = "$count" &&
	test "$(grep -cE '^    after [A-Za-z0-9-]+/[A-Za-z0-9._-]+#[0-9]+: ' out)" = "$count"; then
	ok 'each has its need and its issue'
else
	not_ok 'each has its need and its issue'
fi
headers=0
for name in $(sed -n 's/^\([a-z-]*\): .*/\1/p' out); do
	file=$src/tools/scenarios/$(echo "$name" | tr - _).c
	needs=$(sed -n "/^$name: /,/^    needs/s/^    needs //p" out | tr , '\n' | sort)
	issue=$(sed -n "/^$name: /,/^    after/s/^    after \([^:]*\):.*/\1/p" out)
	said=$(sed -n 's/^ \* Needs: \(.*\)\.$/\1/p' "$file" | tr -d ' ' | tr , '\n' | sort)
	if test "$needs" = "$said" && grep -q "^ \* After: $issue," "$file"; then
		headers=$((headers + 1))
	else
		echo "# $file does not say what --list does"
	fi
done
if test "$headers" = "$count"; then ok 'headers say the same'; else not_ok 'headers say the same'; fi

# ---- what is refused
expect 'unknown scenario' 2 '' "no scenario 'spinhog': the nearest is 'spin-hog'" starve spinhog
expect 'unknown mechanism' 2 '' "'preemt' is no mechanism: the nearest is 'preempt'" starve --disable=preemt
expect 'unknown format' 2 '' "nearest is 'json'" starve --format=jsn
expect 'unknown option' 2 '' "nearest is '--matrix'" starve --matrx
expect 'bad seed' 2 '' "'x' is not a number" starve --seed=x
expect 'no bounds file' 2 '' 'No such file' starve --bounds=nowhere
echo 'spin-hog' >bounds
expect 'bad bounds file' 2 '' 'bounds:1: write a name and a time' starve --bounds=bounds
echo 'spinhog 1s' >bounds
expect 'unknown name in bounds' 2 '' "the nearest is 'spin-hog'" starve --bounds=bounds
expect 'matrix with --disable' 2 '' 'leave --disable out' starve --matrix --disable=preempt
expect 'so without function' 2 '' 'write FILE.so:FUNCTION' starve --so=x.so
if GOAD_DISABLE=all "$GOAD" starve spin-hog >out 2>err; then code=0; else code=$?; fi
if test "$code" -ne 0 && grep -q 'GOAD_DISABLE=all: it must be a list' err; then
	ok 'bad word in the environment'
else
	not_ok 'bad word in the environment'
fi

# ---- all of it, in all formats
printf '# as a project keeps them\n* 2s\nspin-hog 1.5s # its own\n' >bounds
timeout -k 5 120 "$GOAD" starve --bounds=bounds --seed=77 --junit=junit.xml --hgrm=waits.hgrm >out 2>err
code=$?
if test "$code" = 0; then ok 'nobody starves'; else not_ok 'nobody starves'; fi
if grep -q '^TAP version 14$' out && grep -q "^1\\.\\.$count\$" out && grep -q '^# goad .*seed 77$' out &&
	grep -q '^# Linux .*CPUs$' out; then
	ok 'what it says of itself'
else
	not_ok 'what it says of itself'
fi
if command -v prove >/dev/null 2>&1; then
	# Of version 14 Debian 12's knows nothing; but that reads as 13 does, by design.
	sed '1s/14/13/' out >all.tap
	if prove --exec cat all.tap >tap.out 2>&1 && grep -q "Tests=$count," tap.out; then
		ok 'TAP::Parser reads it'
	else
		cat tap.out >err
		not_ok 'TAP::Parser reads it'
	fi
else
	skip 'TAP::Parser reads it' 'no prove (Debian: perl)'
fi
if command -v xmllint >/dev/null 2>&1; then
	if xmllint --noout junit.xml 2>err &&
		test "$(xmllint --xpath 'count(/testsuite/testcase)' junit.xml)" = "$count" &&
		test "$(xmllint --xpath 'string(/testsuite/@failures)' junit.xml)" = 0; then
		ok 'libxml2 reads the JUnit file'
	else
		not_ok 'libxml2 reads the JUnit file'
	fi
else
	skip 'libxml2 reads the JUnit file' 'no xmllint (Debian: libxml2-utils)'
fi
if awk 'NR == 1 && $1 == "Value" { head = 1 }
	$1 ~ /^[0-9.]+$/ { if ($1 + 0 < value || $2 + 0 < part || $3 + 0 < n) bad = 1; value = $1 + 0; part = $2 + 0; n = $3 + 0 }
	/^#\[Max/ { total = $NF + 0 }
	END { exit !(head && !bad && part == 1 && n > 0 && n == total) }' waits.hgrm; then
	ok 'percentiles rise to the last'
else
	cp waits.hgrm err
	not_ok 'percentiles rise to the last'
fi

# ---- who starves is told, and who is to blame
expect 'without preemption a loop starves others' 1 '^not ok 1 - spin-hog without preempt$' '' \
	starve --disable=preempt --bounds=/dev/null spin-hog
if grep -q 'culprit: "hog"' out && grep -q 'victim: "victim"' out && grep -q 'starve_hog_spins' out; then
	ok 'the culprit and where it stood'
else
	not_ok 'the culprit and where it stood'
fi
# Its first try at least asks again and again, in vain.
run starve --disable=handoff libc-hog
if grep -Eq '^  request_to_signal: [{] count: [1-9][0-9]*, p50_ns: [0-9]+, p99_ns: [0-9]+, max_ns: [0-9]+ [}]$' out &&
	grep -q '^  signal_to_decision: ' out && grep -A 1 '^  deferred_because:$' out | grep -Eq '^    "hand-off is disabled": [1-9]'; then
	ok 'the steps of preemptions, and why they were deferred'
else
	not_ok 'the steps of preemptions, and why they were deferred'
fi
expect 'text' 0 'signal to decision +p50 .* p99 .* max ' '' starve --format=text --bounds=bounds spin-hog
if built json && command -v python3 >/dev/null 2>&1; then
	run starve --format=json --repeat=2 --seed=4711 --bounds=bounds spin-hog ready-pair
	cat >check.py <<'PY'
import json, sys
j = json.load (open ('out'))
assert j['schema'] == 'goad-starve/1' and j['seed'] == '4711' and j['exit_code'] == 0, j
assert [r['scenario'] for r in j['results']] == ['spin-hog'] * 2 + ['ready-pair'] * 2
for r in j['results']:
    assert r['outcome'] in ('pass', 'inconclusive'), r
    assert r['bound_ns'] == (1500000000 if r['scenario'] == 'spin-hog' else 2000000000)
    w = r['waits']
    assert w['count'] > 0 and w['p50_ns'] <= w['p99_ns'] <= w['p999_ns'] <= w['max_ns'], w
    assert r['needs'] and '#' in r['issue'] and r['disabled'] == []
    s = r['preemption_traced']
    assert s['events_lost'] >= 0 and set (s['steps']) == {'request_to_signal', 'signal_to_decision', 'decision_to_switch', 'switch_to_resume'}
    if r['scenario'] == 'spin-hog' and r['attempts'] == 1:
        for step in s['steps'].values ():
            assert 0 < step['count'] and 0 <= step['p50_ns'] <= step['p99_ns'] <= step['max_ns'], s
    if r['attempts'] == 1:
        assert int (r['config']['seed']) in (4711, 4811), r['config']
PY
	if test "$code" = 0 && python3 check.py 2>err; then ok 'JSON'; else not_ok 'JSON'; fi
else
	skip 'JSON' 'needs libjansson-dev and python3'
fi

# ---- a scenario of one's own
cat >own.c <<'C'
#include <goad.h>
static volatile int on;
static void spins (void *arg) { (void) arg; for (uint64_t end = goad_after (300 * GOAD_MS); goad_now () < end;) ; }
static void waits (void *arg) { (void) arg; on = 1; }
int own (int argc, char **argv)
{
	(void) argc, (void) argv;
	for (int i = 0; i < 4; i++) {
		goad_go (waits, NULL);
		goad_go (spins, NULL);
	}
	return 0;
}
int fails (int argc, char **argv) { (void) argc, (void) argv; return 7; }
C
if $cc -O2 -shared -fPIC -I"$src/include" -o own.so own.c 2>err && "$GOAD" starve --so own.so:fails >out 2>err; test $? -eq 1; then
	echo '* 2s' >wide
	expect 'one of their own is fair' 0 '^ok 1 - own.so:own$' '' starve --bounds=wide --so own.so:own
	run starve --disable=preempt --so ./own.so:own
	if { test "$code" = 1 && grep -q '^not ok 1 - ./own.so:own without preempt$' out; } ||
		{ test "$code" = 0 && grep -q 'SKIP inconclusive' out; }; then
		ok 'and starves without preemption'
	else
		not_ok 'and starves without preemption'
	fi
	expect 'one that fails' 1 'did not return 0' '' starve --so own.so:fails
	expect 'no such function' 2 '' "no function 'none'" starve --so own.so:none
else
	skip 'scenarios of their own' 'no C compiler, or a static program'
fi

# ---- ablation: each scenario starves without what it needs, and without nothing else
timeout -k 5 300 "$GOAD" starve --matrix >out 2>err
code=$?
if test "$code" = 0 && test "$(grep -cE '^[a-z-]+ .*(pass|STARVES|[?])' out)" = "$count" &&
	grep -q '^0 of [0-9]* other than the scenarios say' out; then
	ok 'the matrix is what the scenarios say'
else
	not_ok 'the matrix is what the scenarios say'
fi
sed 's/^/# /' out
# A bound that nobody can keep: what should pass does not, or the host was too busy to say so.
echo 'spin-hog 1ms' >bounds
run starve --matrix --bounds=bounds spin-hog
if test "$code" -le 1 && grep -Eq '^spin-hog +(STARVES|[?] )' out &&
	grep -Eq '^  spin-hog: should pass; of [1-5] tries [0-5] starved and [0-5] were inconclusive; the last: .* longest wait ' out; then
	ok 'the matrix says why'
else
	not_ok 'the matrix says why'
fi
finish
