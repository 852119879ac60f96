package list_test

import (
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/arm/list"
)

func ExampleAdd() {
	fmt.Println(list.Add([]int{3, 1}, 1, 2, 2))
	// Output: [3 1 2]
}

func ExampleFew() {
	names := []string{"nethttp", "rawtcp", "bashtcp", "bashcurl"}
	fmt.Println(strings.Join(list.Few(names, 4), ", "))
	fmt.Println(strings.Join(list.Few(names, 3), ", "))
	// Output:
	// nethttp, rawtcp, bashtcp, bashcurl
	// nethttp, rawtcp, 2 more
}

func ExampleMap() {
	fmt.Println(list.Map([]string{"zip", "image"}, strings.ToUpper))
	// Output: [ZIP IMAGE]
}
