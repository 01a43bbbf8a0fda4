// SPDX-License-Identifier: MIT

// The twin of parked.c.  Shapes: close, Go's idiom, all receive from one channel, which is
// closed; chain, each waits for one before it, as in parked.c; sleep, all until one moment.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const width = 8

var (
	count   int
	arrived atomic.Int64
	alive   atomic.Int64
)

type result struct{ rss, tables, create, wake float64 }

// field reads a number of /proc/self/status, in bytes.
func field(name string) float64 {
	text, _ := os.ReadFile("/proc/self/status")
	var kib float64
	if at := strings.Index(string(text), name); at >= 0 {
		fmt.Sscanf(string(text[at+len(name):]), "%f", &kib)
	}
	return kib * 1024
}

func each(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(count) }

// create starts all and returns when all have got going.
func create(r *result, start func(i int)) {
	arrived.Store(0)
	rss, tables := field("VmRSS:"), field("VmPTE:")
	t0 := time.Now()
	for i := 0; i < count; i++ {
		start(i)
	}
	for arrived.Load() < int64(count) {
		runtime.Gosched()
	}
	r.create = each(time.Since(t0))
	r.rss = (field("VmRSS:") - rss) / float64(count)
	r.tables = (field("VmPTE:") - tables) / float64(count)
}

func closed(r *result) {
	var wg sync.WaitGroup
	wg.Add(count)
	gate := make(chan struct{})
	body := func() {
		arrived.Add(1)
		<-gate
		wg.Done()
	}
	create(r, func(int) { go body() })
	t0 := time.Now()
	close(gate)
	wg.Wait()
	r.wake = each(time.Since(t0))
}

// A task's handle has its wait queue in goad too, so a channel for each is counted in.
func chained(r *result) {
	gate := make(chan struct{})
	var tails [width]chan struct{}
	for i := range tails {
		tails[i] = gate
	}
	body := func(before, mine chan struct{}) {
		arrived.Add(1)
		<-before
		close(mine)
	}
	create(r, func(i int) {
		mine := make(chan struct{})
		go body(tails[i%width], mine)
		tails[i%width] = mine
	})
	t0 := time.Now()
	close(gate)
	for _, tail := range tails {
		<-tail
	}
	r.wake = each(time.Since(t0))
}

func slept(r *result, allow time.Duration) bool {
	var finished time.Time
	var wg sync.WaitGroup
	wg.Add(count)
	alive.Store(int64(count))
	at := time.Now().Add(allow)
	body := func() {
		arrived.Add(1)
		time.Sleep(time.Until(at))
		if alive.Add(-1) == 0 {
			finished = time.Now()
		}
		wg.Done()
	}
	create(r, func(int) { go body() })
	all := time.Now().Before(at)
	wg.Wait()
	r.wake = each(finished.Sub(at))
	return all
}

func main() {
	procs := flag.Int("procs", 1, "")
	shape := flag.String("shape", "close", "")
	flag.IntVar(&count, "count", 1000000, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	var first, again result
	switch *shape {
	case "close":
		closed(&first)
		closed(&again)
	case "chain":
		chained(&first)
		chained(&again)
	case "sleep":
		allow := time.Duration(count) * 4 * time.Microsecond
		for !slept(&first, allow) {
			allow *= 2
		}
		fmt.Printf("wake_finish %.6g ns\n", first.wake)
		return
	default:
		fmt.Fprintln(os.Stderr, "--shape: close, chain or sleep")
		os.Exit(2)
	}
	fmt.Printf("rss %.6g B\n", first.rss)
	fmt.Printf("page_tables %.6g B\n", first.tables)
	fmt.Printf("create %.6g ns\n", first.create)
	fmt.Printf("wake_finish %.6g ns\n", first.wake)
	fmt.Printf("create_again %.6g ns\n", again.create)
	fmt.Printf("wake_finish_again %.6g ns\n", again.wake)
}
