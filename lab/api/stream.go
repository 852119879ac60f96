package api

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"slices"
)

// streamPath is the end of the path of InvokeWithResponseStream.
const streamPath = "/response-streaming-invocations"

// streamPiece is the largest part of a response in one event of the stream, in bytes.
const streamPiece = 64 << 10

// stream answers InvokeWithResponseStream: first the response in pieces, then how it ended. The lab sends nothing
// before the response is complete, so all pieces are sent together, and they have at most 6 MB in all.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
func stream(w http.ResponseWriter, result Result, log string) {
	end := struct {
		ErrorCode    string `json:",omitempty"`
		ErrorDetails string `json:",omitempty"`
		LogResult    string `json:",omitempty"`
	}{LogResult: log}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	if result.FunctionError != "" {
		end.ErrorCode, end.ErrorDetails = result.FunctionError, string(result.Payload)
	} else {
		for piece := range slices.Chunk(result.Payload, streamPiece) {
			w.Write(streamEvent("PayloadChunk", "application/octet-stream", piece))
		}
	}
	text, _ := json.Marshal(end)
	w.Write(streamEvent("InvokeComplete", "application/json", text))
}

// streamEvent encodes an event as AWS does: total length, header length and their checksum, headers, payload, and
// the checksum of everything.
// https://smithy.io/2.0/aws/amazon-eventstream.html
func streamEvent(kind, contentType string, payload []byte) []byte {
	const text = 7 // type of a header whose value is a string
	var headers []byte
	for _, h := range [][2]string{{":message-type", "event"}, {":event-type", kind}, {":content-type", contentType}} {
		headers = append(append(headers, byte(len(h[0]))), h[0]...)
		headers = append(binary.BigEndian.AppendUint16(append(headers, text), uint16(len(h[1]))), h[1]...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
