// SPDX-License-Identifier: MIT

// The twin of skynet.c.  Go has no join: with --shape join a WaitGroup stands for it.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"time"
)

func byChan(up chan int, num, size int) {
	if size == 1 {
		up <- num
		return
	}
	ch := make(chan int)
	for i := 0; i < 10; i++ {
		go byChan(ch, num+i*(size/10), size/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-ch
	}
	up <- sum
}

func byJoin(num, size int) int {
	if size == 1 {
		return num
	}
	var wg sync.WaitGroup
	var kid [10]int
	wg.Add(10)
	for i := 0; i < 10; i++ {
		go func(i int) {
			kid[i] = byJoin(num+i*(size/10), size/10)
			wg.Done()
		}(i)
	}
	wg.Wait()
	sum := 0
	for _, v := range kid {
		sum += v
	}
	return sum
}

func tree(shape string, leaves int) {
	sum := 0
	if shape == "join" {
		sum = byJoin(0, leaves)
	} else {
		ch := make(chan int)
		go byChan(ch, 0, leaves)
		sum = <-ch
	}
	if sum != leaves*(leaves-1)/2 {
		panic("the wrong sum")
	}
}

func main() {
	procs := flag.Int("procs", 1, "")
	count := flag.Int("count", 1000000, "")
	shape := flag.String("shape", "chan", "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	tree(*shape, *count)
	t0 := time.Now()
	tree(*shape, *count)
	fmt.Printf("skynet %.6g ms\n", float64(time.Since(t0).Nanoseconds())/1e6)
}
