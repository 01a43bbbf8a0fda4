// SPDX-License-Identifier: MIT

// The twin of select.c.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"time"
)

var ch [4]chan int

func build(capacity int) {
	for i := range ch {
		ch[i] = make(chan int, capacity)
	}
}

func selectOne() (v int, ok bool) {
	select {
	case v, ok = <-ch[0]:
	case v, ok = <-ch[1]:
	case v, ok = <-ch[2]:
	case v, ok = <-ch[3]:
	}
	return
}

func alone(n int) time.Duration {
	build(1)
	t0 := time.Now()
	for i := 0; i < n; i++ {
		ch[i%4] <- i
		if v, _ := selectOne(); v != i {
			panic("the wrong element")
		}
	}
	return time.Since(t0)
}

func crowd(n int) time.Duration {
	var from, to sync.WaitGroup
	build(0)
	t0 := time.Now()
	from.Add(4)
	to.Add(4)
	for i := range ch {
		go func(c chan int) {
			for k := 0; k < n/4; k++ {
				c <- k
			}
			from.Done()
		}(ch[i])
		go func() {
			for ok := true; ok; {
				_, ok = selectOne()
			}
			to.Done()
		}()
	}
	from.Wait()
	d := time.Since(t0)
	close(ch[0])
	to.Wait()
	return d
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 1000000, "")
	shape := flag.String("shape", "alone", "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	round := alone
	if *shape == "crowd" {
		round = crowd
	}
	round(*count/10 + 1)
	fmt.Printf("select %.6g ns\n", float64(round(*count).Nanoseconds())/float64(*count))
}
