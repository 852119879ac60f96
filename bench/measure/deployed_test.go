package measure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A missing stack is often in another region or account. The error names both, and leaves out the SDK's own text.
func TestStackThatIsNotThere(t *testing.T) {
	for _, test := range []struct{ code, message, want string }{
		{"ValidationError", "Stack with id Twinstart-x does not exist",
			"finding the functions of stack Twinstart-x: no stack Twinstart-x in eu-west-1 of account 111122223333: " +
				"set AWS_REGION or AWS_PROFILE, or deploy it with make deploy"},
		{"AccessDenied", "not authorized", "finding the functions of stack Twinstart-x: AccessDenied: not authorized (region eu-west-1)"},
	} {
		aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			if r.Form.Get("Action") == "GetCallerIdentity" {
				fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", test.code, test.message)
		}))
		for name, value := range map[string]string{
			"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_ENDPOINT_URL": aws.URL,
			"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1",
		} {
			t.Setenv(name, value)
		}
		_, err := DeployedFunctions(t.Context(), "Twinstart-x")
		aws.Close()
		if err == nil || strings.TrimSpace(err.Error()) != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}
