// SPDX-License-Identifier: MIT

// The twin of endless.c: an endless loop has the only P; when does another first run?
package main

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"sort"
	"sync/atomic"
	"time"
)

var (
	stop    int32
	started time.Time
	waits   []float64
)

func newcomer() {
	waits = append(waits, float64(time.Since(started).Nanoseconds())/1e6)
	atomic.StoreInt32(&stop, 1)
}

func endless(done chan struct{}) {
	started = time.Now()
	go newcomer()
	for atomic.LoadInt32(&stop) == 0 {
	}
	done <- struct{}{}
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 50, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	waits = make([]float64, 0, *count+1)
	done := make(chan struct{})
	for i := 0; i <= *count; i++ {
		stop = 0
		if i == 1 {
			waits = waits[:0]
		}
		go endless(done)
		<-done
	}
	sort.Float64s(waits)
	at := func(q float64) float64 { return waits[int(math.Ceil(q*float64(len(waits))))-1] }
	fmt.Printf("first_run_p50 %.6g ms\n", at(0.5))
	fmt.Printf("first_run_p99 %.6g ms\n", at(0.99))
	fmt.Printf("first_run_max %.6g ms\n", at(1))
}
