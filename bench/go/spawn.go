// SPDX-License-Identifier: MIT

// The twin of spawn.c: goroutines in batches of 1000; a WaitGroup is Go's join.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"time"
)

const batch = 1000

var ran [batch]byte

func child(at *byte, wg *sync.WaitGroup) {
	*at++
	wg.Done()
}

func batches(n int) time.Duration {
	var wg sync.WaitGroup
	t0 := time.Now()
	for ; n > 0; n-- {
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go child(&ran[i], &wg)
		}
		wg.Wait()
	}
	return time.Since(t0)
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 1000, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	batches(*count/10 + 1)
	d := batches(*count)
	fmt.Printf("spawn_join %.6g ns\n", float64(d.Nanoseconds())/(float64(*count)*batch))
}
