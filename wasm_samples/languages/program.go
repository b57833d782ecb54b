package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
)

func isPrime(k uint32) bool {
	for d := uint32(2); d*d <= k; d++ {
		if k%d == 0 {
			return false
		}
	}
	return k >= 2
}

func countPrimes(n uint32) uint32 {
	found := uint32(0)
	for k := uint32(2); k <= n; k++ {
		if isPrime(k) {
			found++
		}
	}
	return found
}

func countWords(text []byte) uint32 {
	found, inside := uint32(0), false
	for _, letter := range text {
		space := letter == ' ' || letter >= 9 && letter <= 13
		if !space && !inside {
			found++
		}
		inside = !space
	}
	return found
}

func main() {
	n := uint64(10000)
	if len(os.Args) > 1 {
		given, err := strconv.ParseUint(os.Args[1], 10, 32)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s is no number\n", os.Args[1])
			os.Exit(2)
		}
		n = given
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("primes: %d\nwords: %d\n", countPrimes(uint32(n)), countWords(text))
}
