#!/bin/sh
# SPDX-License-Identifier: MIT
# top.sh - goad top: what it says of programs that show what they do, and what they leave behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
unset GOAD_TOP
if ! (set -C && : >"/dev/shm/goad-test.$$") 2>/dev/null; then
	echo '/dev/shm cannot be written' >&2
	exit 77
fi
rm -f "/dev/shm/goad-test.$$"
pids=
trap 'test -z "$pids" || kill -9 $pids 2>/dev/null; rm -rf "$work"' EXIT

# await WHAT COMMAND...: until it succeeds, for half a minute at most.
await () {
	what=$1
	shift
	tries=0
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if test $tries -gt 600; then
			echo "# in vain: $what"
			return 1
		fi
		sleep 0.05
	done
}

files_of () {
	ls /dev/shm/goad-top."$1".* 2>/dev/null
}

gone () {
	test -z "$(files_of "$1")"
}

shown () {
	"$GOAD" top -p "$1" --once
}

# check WHAT PYTHON: of the JSON in out, as j.
check () {
	printf 'import json\nj = json.load (open ("out"))\nassert j["schema"] == "goad-top/1"\n%s\n' "$2" >check.py
	if ! command -v python3 >/dev/null 2>&1; then
		skip "$1" 'no python3'
	elif python3 check.py 2>>err; then
		ok "$1"
	else
		cat out >>err
		: >out
		not_ok "$1"
	fi
}

# ---- what is refused
expect 'unknown sort' 2 '' "'cp' is unknown: the nearest is 'cpu'" top --sort=cp
expect 'unknown option' 2 '' "nearest is '--once'" top --onec
expect 'a pid without -p' 2 '' 'write -p 12' top 12
expect 'interval' 2 '' 'out of range: 100ms to 60s' top --interval=1ms
expect 'no such process' 77 '' 'there is no process 4194304' top -p 4194304 --once
expect 'a process that shows nothing' 77 '' 'started with GOAD_TOP=1' top -p $$ --once
expect 'help' 0 'q quits' '' top --help

# ---- one that computes
GOAD_TOP=1 GOAD_PROCS=2 "$GOAD" run --for 50s -n 3 spin + tick 10ms >run.out 2>run.err &
spin=$!
pids="$spin"
if await 'the page of a program that runs' shown $spin; then ok 'a program that runs'; else not_ok 'a program that runs'; fi
if test "$(stat -c %a "$(files_of $spin)")" = 600; then ok 'mode 0600'; else not_ok 'mode 0600'; fi
expect 'text' 0 '^ +[0-9]+  spin#[123] .* (running|runnable) ' '' top -p $spin --once
expect 'list' 0 "^ *$spin  " '' top --list
all_run () {
	"$GOAD" top -p $spin --once >out 2>/dev/null && test "$(grep -cE '^ +[0-9]+  spin#[123] +[1-9]' out)" = 3
}
if await 'shares of all three' all_run; then ok 'each has its share'; else not_ok 'each has its share'; fi
if built json; then
	run top -p $spin --once --format=json
	check 'JSON' "
assert j['pid'] == $spin and j['interval_ns'] > 0 and not j['quiet'] and len (j['procs']) == 2
assert sum (t['state'] in ('running', 'runnable') for t in j['tasks'] if t['name'].startswith ('spin')) >= 2
assert all (0 <= t['share'] <= 1.05 for t in j['tasks']), j
assert [t['share'] for t in j['tasks']] == sorted ((t['share'] for t in j['tasks']), reverse = True)
"
else
	expect 'JSON not built in' 77 '' 'libjansson-dev' top -p $spin --format=json
fi
if command -v tmux >/dev/null 2>&1 && built ncurses; then
	tmux -L "goad$$" -f /dev/null new-session -d -x 100 -y 20 "$GOAD top -p $spin; echo left with \$?; sleep 60"
	on_screen () { tmux -L "goad$$" capture-pane -p | grep -E "$1"; }
	if await 'the screen' on_screen 'spin#1' && tmux -L "goad$$" send-keys i && await 'sorted' on_screen 'by number\)$' &&
		tmux -L "goad$$" send-keys q && await 'its end' on_screen 'left with 0'; then
		ok 'on a screen'
	else
		tmux -L "goad$$" capture-pane -p >err
		not_ok 'on a screen'
	fi
	tmux -L "goad$$" kill-server
fi
kill -TERM $spin
wait $spin 2>/dev/null
if gone $spin; then ok 'no file of one that ended'; else not_ok 'no file of one that ended'; fi

# ---- one that waits, forks, ends, starts again, and exits
mkfifo steps
# shellcheck disable=SC2086 # flags are a list
if $cc ${SAN_FLAGS-} -O2 -D_GNU_SOURCE -I"$src/include" -o waits "$src/tests/tools/top_work.c" -L"$top/lib/.libs" -lgoad \
	-Wl,-rpath,"$top/lib/.libs" 2>err; then
	GOAD_TOP=1 ./waits <steps >said 2>waits.err &
	waits=$!
	pids="$pids $waits"
	exec 3>steps
	is_quiet () { "$GOAD" top -p $waits --once >out 2>err && grep -q 'nothing runs' out; }
	if await 'rest' is_quiet && grep -Eq '^ +[0-9]+  waiter .* waiting .* chan receive' out &&
		grep -Eq ' waiting .* descriptor' out; then
		ok 'who waits for what'
	else
		not_ok 'who waits for what'
	fi
	shows=$(grep -l goad-top /proc/$waits/task/*/comm)
	# It shows that nothing runs, and goes to sleep; one that looked on would wake meanwhile.
	rests () {
		before=$(grep ctxt "${shows%comm}status")
		sleep 0.6
		test -n "$before" && test "$before" = "$(grep ctxt "${shows%comm}status")"
	}
	if await 'no switch of its thread' rests; then
		ok 'no CPU where nothing runs'
	else
		not_ok 'no CPU where nothing runs'
	fi
	printf . >&3
	await 'the fork' grep -q forked said
	if shown $waits >out 2>err; then ok 'a fork leaves the page'; else not_ok 'a fork leaves the page'; fi
	# One that looks on all the while, and sees neither the end nor the beginning of the next.
	"$GOAD" top -p $waits --interval=100ms >looks 2>err &
	looks=$!
	pids="$pids $looks"
	await 'its looks' grep -q waiter looks
	kill -STOP $looks
	await 'it to be stopped' grep -q '^State:.*T' /proc/$looks/status
	printf . >&3
	await 'the end' grep -q ended said
	if gone $waits; then ok 'a runtime that ended has none'; else not_ok 'a runtime that ended has none'; fi
	printf . >&3
	await 'the second' grep -q again said
	if await 'another page' shown $waits; then ok 'the next has one again'; else not_ok 'the next has one again'; fi
	kill -CONT $looks
	if await 'the other runtime' grep -q second looks; then ok 'who looks on sees the next'; else not_ok 'who looks on sees the next'; fi
	printf . >&3
	wait $waits
	if test $? = 0 && gone $waits; then ok 'exit takes it away'; else not_ok 'exit takes it away'; fi
	wait $looks
	if test $? = 0; then ok 'and ends who looks on'; else not_ok 'and ends who looks on'; fi

	# ---- one that is killed
	GOAD_TOP=1 ./waits <steps >said 2>waits.err &
	waits=$!
	pids="$pids $waits"
	await 'its page' shown $waits
	kill -9 $waits
	wait $waits 2>/dev/null
	run top --list
	if gone $waits; then ok 'a stale file is removed'; else not_ok 'a stale file is removed'; fi

	GOAD_TOP=0 ./waits <steps >said 2>waits.err &
	waits=$!
	pids="$pids $waits"
	await 'its start' grep -q waits said
	expect 'switched off' 77 '' 'started with GOAD_TOP=1' top -p $waits --once
	kill -9 $waits
	exec 3>&-
else
	skip 'waiting, forking, ending' 'no C compiler, or a static library'
fi
finish
