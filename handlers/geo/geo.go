// Package geo describes the functions below this folder and their table. Each function exists in several languages.
// README.md has the rules.
package geo

import (
	"bytes"
	"fmt"
	"math"
)

// Function is one of the functions, which every language has under this name.
type Function struct {
	Name    string
	Doc     string
	Actions []string // its calls of DynamoDB: Query on the index, others on the table; nil: it needs no table and no SDK
	Event   string   // the event that it is measured with: the published payload, as function URLs send it
}

// Functions returns the functions in the order of reports.
func Functions() []Function {
	const point = `\"lat\":\"-33.73316693187673\",\"lon\":\"151.12647886316125\"`
	const search = `{"body":"{\"owner\":\"owner-07\",` + point + `,\"radius\":\"30000\"}"}`
	return []Function{
		{"wave", "reads a point and writes it again", nil, `{"body":"{` + point + `,\"radius\":\"30000\"}"}`},
		{"client", "makes a client, and no call", []string{}, `{"body":"{}"}`},
		{"warmup", "one GetItem", []string{"GetItem"}, `{"body":"{}"}`},
		{"save", "one PutItem", []string{"GetItem", "PutItem"},
			`{"body":"{\"owner\":\"go\",\"name\":\"Nasho Run\",` + point + `}"}`},
		{"search", "nine Query calls, one after the other", []string{"GetItem", "Query"}, search},
		{"search-concurrent", "nine Query calls at once", []string{"GetItem", "Query"}, search},
	}
}

// Items is the number of items that the table has at first, for 20 owners.
const Items = 2000

// CSV returns those items in the form that DynamoDB imports. They lie on a spiral around the published point that
// reaches 40 km, so that nine queries find some of them and a radius of 30 km leaves some out. All sort keys differ.
func CSV() []byte {
	const lat, lon, degree = -33.73316693187673, 151.12647886316125, 111194.93
	var out bytes.Buffer
	out.WriteString("pk,sk,gpk,gsk,owner,name,lat,lon\n")
	for i := range Items {
		metres, angle := 40000*math.Sqrt((float64(i)+0.5)/Items), float64(i)*math.Pi*(3-math.Sqrt(5))
		y, x := lat+metres*math.Sin(angle)/degree, lon+metres*math.Cos(angle)/degree/math.Cos(lat*math.Pi/180)
		owner, name := fmt.Sprintf("owner-%02d", i%20), fmt.Sprintf("run-%04d", i)
		fmt.Fprintf(&out, "RT:%s,%s,%s,RT:%s:%s,%s,%s,%.6f,%.6f\n", owner, name, hash(y, x), owner, name, owner, name, y, x)
	}
	return out.Bytes()
}

// hash returns the geohash of a point, 4 characters. Its bits halve the range of longitude and latitude in turn.
// See https://en.wikipedia.org/wiki/Geohash.
func hash(lat, lon float64) string {
	bounds := [2][2]float64{{-180, 180}, {-90, 90}}
	text := make([]byte, 4)
	for i, bits := 0, 0; i < 20; i++ {
		b, v := &bounds[i%2], [2]float64{lon, lat}[i%2]
		middle := (b[0] + b[1]) / 2
		if bits <<= 1; v >= middle {
			bits, b[0] = bits|1, middle
		} else {
			b[1] = middle
		}
		text[i/5] = "0123456789bcdefghjkmnpqrstuvwxyz"[bits&31]
	}
	return string(text)
}
