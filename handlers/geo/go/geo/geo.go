// Package geo is what the functions share: the event, the answer, the cells of a map, the table. ../../README.md has
// the rules.
package geo

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Event is the part of a function URL's or a REST API's event that is read.
type Event struct {
	Body string `json:"body"`
}

// Request is the event's body. A field that is missing is nil.
type Request struct {
	Owner  *string `json:"owner"`
	Name   *string `json:"name"`
	Lat    *string `json:"lat"`
	Lon    *string `json:"lon"`
	Radius *string `json:"radius"`
}

// Answer is a response for function URLs and REST APIs.
type Answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

// Refused is the answer to a request that lacks something.
var Refused = Answer{400, `{"message":"bad request"}`}

// OK answers with a body as JSON.
func OK(body any) (Answer, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(body)
	return Answer{200, string(bytes.TrimSuffix(text.Bytes(), []byte("\n")))}, err
}

// Read reads the event's body.
func (e Event) Read() (r Request, ok bool) {
	return r, json.Unmarshal([]byte(e.Body), &r) == nil
}

// Point returns latitude and longitude in degrees.
func (r Request) Point() (lat, lon float64, ok bool) {
	lat, ok1 := number(r.Lat, 90)
	lon, ok2 := number(r.Lon, 180)
	return lat, lon, ok1 && ok2
}

func number(text *string, most float64) (float64, bool) {
	if text == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(*text, 64)
	return n, err == nil && math.Abs(n) <= most
}

// hash returns the geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate.
func hash(x, y int) string {
	bits := 0
	for i := 9; i >= 0; i-- {
		bits = bits<<2 | x>>i&1<<1 | y>>i&1
	}
	text := make([]byte, 4)
	for i := range text {
		text[i] = "0123456789bcdefghjkmnpqrstuvwxyz"[bits>>(15-5*i)&31]
	}
	return string(text)
}

// Cells returns the cell of a point and its eight neighbours: from the centre to the north, then clockwise.
func Cells(lat, lon float64) (cells [9]string) {
	x, y := int(min((lon+180)/360*1024, 1023)), int(min((lat+90)/180*1024, 1023))
	for i, d := range [9][2]int{{0, 0}, {0, 1}, {1, 1}, {1, 0}, {1, -1}, {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}} {
		cells[i] = hash((x+d[0])&1023, (y+d[1])&1023)
	}
	return cells
}

// distance returns the metres between two points. It ignores the earth's curve, which is exact enough for some 10 km.
func distance(lat1, lon1, lat2, lon2 float64) float64 {
	const degree = 111194.93
	return math.Hypot((lat2-lat1)*degree, (lon2-lon1)*degree*math.Cos(lat1*math.Pi/180))
}
