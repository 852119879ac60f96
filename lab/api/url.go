package api

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twinstart/twinstart/arm"
)

// urlPath begins the path of every function URL. On AWS each has a host name, ID.lambda-url.REGION.on.aws, but
// such a name cannot be resolved to this machine.
const urlPath = "/lambda-url/"

// functionURL is FunctionUrlConfig. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
type functionURL struct {
	FunctionURL      string `json:"FunctionUrl"`
	FunctionARN      string `json:"FunctionArn"`
	AuthType         string
	InvokeMode       string
	CreationTime     string
	LastModifiedTime string
	Cors             json.RawMessage `json:",omitempty"`
}

func (s server) urlConfigs(m routes) {
	const path = " /2021-10-31/functions/{name}/url"
	m.on("POST"+path, http.StatusCreated, s.urlConfig)
	m.on("GET"+path, http.StatusOK, s.urlConfig)
	m.on("PUT"+path, http.StatusOK, s.urlConfig)
	m.on("DELETE"+path, http.StatusNoContent, s.urlConfig)
	m.on("GET"+path+"s", http.StatusOK, func(r call) (any, error) {
		return paged(r, "FunctionUrlConfigs", s.urls.of(r.name), nil)
	})
}

// urlConfig creates, returns, changes or deletes the URL of a function.
func (s server) urlConfig(r call) (any, error) {
	var in functionURL
	if err := r.read(maxRequest, &in); err != nil {
		return nil, err
	}
	called, of, err := s.named(r.name, r.query("Qualifier"))
	if err != nil {
		return nil, err
	}
	c, err := s.backend.Function(of)
	if err != nil {
		return nil, err
	}
	name, qualifier, _ := strings.Cut(called, ":")
	return s.urls.change(r.Method, name+":"+qualifier, func(before functionURL) (functionURL, error) {
		now := time.Now().UTC().Format(time.RFC3339)
		made := functionURL{FunctionARN: c.ARN, FunctionURL: "http://" + r.Host + urlPath + called + "/",
			LastModifiedTime: now, CreationTime: cmp.Or(before.CreationTime, now),
			AuthType: cmp.Or(in.AuthType, before.AuthType), InvokeMode: cmp.Or(in.InvokeMode, before.InvokeMode, "BUFFERED")}
		switch {
		case made.AuthType != "NONE" && made.AuthType != "AWS_IAM":
			return made, Invalid("AuthType must be NONE or AWS_IAM")
		case made.InvokeMode != "BUFFERED":
			return made, Invalid("the lab has no InvokeMode " + made.InvokeMode + " for function URLs: use BUFFERED")
		case len(in.Cors) > 0 && string(in.Cors) != "null" && string(in.Cors) != "{}":
			return made, Invalid("the lab has no Cors for function URLs, because it does not answer web pages: leave it out")
		}
		return made, nil
	})
}

// called runs a function that was called by its URL. Event and response have the format of payload 2.0.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func (s server) called(w http.ResponseWriter, r *http.Request) {
	function, path, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), urlPath), "/")
	name, qualifier, _ := strings.Cut(function, ":")
	of, ok := s.urls.get(name + ":" + qualifier)
	body, err := io.ReadAll(io.LimitReader(r.Body, arm.MaxPayload+1))
	refuse := func(status int, message string) { reply(w, status, map[string]string{"Message": message}) }
	switch {
	case !ok:
		refuse(http.StatusForbidden, "Forbidden") // as AWS answers for an unknown URL
	case of.AuthType == "AWS_IAM" && !signed(r):
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException") // as AWS answers without permission
		refuse(http.StatusForbidden, "Forbidden")
	case err != nil:
		refuse(http.StatusBadRequest, "Bad Request")
	case len(body) > arm.MaxPayload:
		refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	default:
		id := NewID()
		event, _ := json.Marshal(urlEvent(r, name, "/"+path, id, body)) // text: it cannot fail
		_, function, _ = s.named(function, "")                          // it was a name when the URL was made
		in := Invocation{RequestID: id, Payload: event, ARN: of.FunctionARN}
		result, err := s.backend.Invoke(function, in)
		var known *Error
		switch {
		case errors.As(err, &known) && known.Status == http.StatusTooManyRequests:
			refuse(http.StatusTooManyRequests, "Too Many Requests")
		case err != nil || result.FunctionError != "":
			refuse(http.StatusBadGateway, "Internal Server Error")
		default:
			w.Header().Set(headerRequestID, id)
			w.Header().Set(arm.HeaderLogStream, result.LogStream)
			urlResponse(w, result.Payload)
		}
	}
}

// signed reports whether a request has a signature of version 4, in its header or its query. The lab does not verify
// it.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") ||
		r.URL.Query().Get("X-Amz-Signature") != ""
}

// textual matches the types of bodies that are not base64 in the event.
var textual = regexp.MustCompile(`^text/|(json|xml|javascript)$`)

func urlEvent(r *http.Request, name, path, id string, body []byte) map[string]any {
	now := time.Now().UTC()
	headers, query := map[string]string{"host": r.Host}, map[string]string{}
	for name, values := range r.Header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	for name, values := range r.URL.Query() {
		query[name] = strings.Join(values, ",")
	}
	at, _, _ := strings.Cut(r.RemoteAddr, ":")
	event := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": r.URL.RawQuery, "headers": headers,
		"isBase64Encoded": false, "requestContext": map[string]any{
			"accountId": "anonymous", "apiId": name, "domainName": r.Host, "domainPrefix": name, "requestId": id,
			"routeKey": "$default", "stage": "$default", "timeEpoch": now.UnixMilli(),
			"time": now.Format("02/Jan/2006:15:04:05 -0700"), "http": map[string]string{
				"method": r.Method, "path": path, "protocol": r.Proto, "sourceIp": at, "userAgent": r.UserAgent()},
		},
	}
	if len(query) > 0 {
		event["queryStringParameters"] = query
	}
	if cookies := r.Header.Values("Cookie"); len(cookies) > 0 {
		event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
	}
	if len(body) > 0 {
		text := string(body)
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if !textual.MatchString(kind) || !utf8.Valid(body) {
			text, event["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
		}
		event["body"] = text
	}
	return event
}

// urlResponse writes a function's answer. An object with statusCode describes the whole response; anything else is
// its body.
func urlResponse(w http.ResponseWriter, payload []byte) {
	var answer struct {
		StatusCode      *int
		Headers         map[string]any
		Cookies         []string
		Body            string
		IsBase64Encoded bool
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if !bytes.HasPrefix(payload, []byte("{")) || json.Unmarshal(payload, &answer) != nil || answer.StatusCode == nil {
		write(w, payload)
		return
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(answer.Body)
		if body = decoded; err != nil {
			*answer.StatusCode = 0
		}
	}
	if *answer.StatusCode < 200 || *answer.StatusCode > 599 {
		reply(w, http.StatusBadGateway, map[string]string{"Message": "Internal Server Error"})
		return
	}
	for name, value := range answer.Headers {
		text, isText := value.(string)
		if !isText {
			raw, _ := json.Marshal(value) // it was JSON
			text = string(raw)
		}
		h.Set(name, text)
	}
	for _, cookie := range answer.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	w.WriteHeader(*answer.StatusCode)
	write(w, body)
}
