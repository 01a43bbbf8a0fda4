// SPDX-License-Identifier: MIT

// The twin of timer.c: time.AfterFunc, which also runs a function in a goroutine of its own.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	batch = 1000
	pairs = 200
)

var (
	timer []*time.Timer
	more  [batch]*time.Timer
	seed  uint64 = 1
	fired atomic.Int64
)

func farAway() time.Duration {
	seed = seed*6364136223846793005 + 1442695040888963407
	return time.Hour + time.Duration(seed>>22)
}

func fire() {
	fired.Add(1)
}

func per(t0 time.Time, n int) float64 {
	return float64(time.Since(t0).Nanoseconds()) / float64(n)
}

func round(n int) (start, pair, stop, fireNs float64) {
	t0 := time.Now()
	for i := 0; i < n; i++ {
		timer[i] = time.AfterFunc(farAway(), fire)
	}
	start = per(t0, n)
	t0 = time.Now()
	for r := 0; r < pairs; r++ {
		for i := range more {
			more[i] = time.AfterFunc(farAway(), fire)
		}
		for i := range more {
			more[i*7%batch].Stop()
		}
	}
	pair = per(t0, pairs*batch)
	t0 = time.Now()
	for i := 0; i < n; i++ {
		timer[i*7919%n].Stop()
	}
	stop = per(t0, n)
	due := n/10 + 1
	fired.Store(0)
	t0 = time.Now()
	for i := 0; i < due; i++ {
		timer[i] = time.AfterFunc(0, fire)
	}
	for fired.Load() < int64(due) {
		runtime.Gosched()
	}
	fireNs = per(t0, due)
	return
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 1000000, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	if *count%7919 == 0 {
		*count++
	}
	timer = make([]*time.Timer, *count+2)
	round(*count/10 + 1)
	start, pair, stop, fireNs := round(*count)
	fmt.Printf("start %.6g ns\n", start)
	fmt.Printf("start_stop %.6g ns\n", pair)
	fmt.Printf("stop %.6g ns\n", stop)
	fmt.Printf("start_fire %.6g ns\n", fireNs)
}
