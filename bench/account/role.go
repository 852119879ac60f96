package account

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// assumeRole sets how the SDK assumes the role of a profile.
func assumeRole(o *stscreds.AssumeRoleOptions) {
	o.TokenProvider = askForCode(os.Stdin, os.Stderr)
	o.Client = stsAt{o.Client, cmp.Or(os.Getenv("AWS_ENDPOINT_URL_STS"), os.Getenv("AWS_ENDPOINT_URL"))}
}

// askForCode asks on a terminal for the code of an MFA device, as the AWS CLI does. The prompt goes to standard error,
// because standard output belongs to results.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html.
func askForCode(in io.Reader, out io.Writer) func() (string, error) {
	return func() (string, error) {
		fmt.Fprint(out, "Enter MFA code: ")
		line, err := bufio.NewReader(in).ReadString('\n')
		code := strings.TrimSpace(line)
		if code == "" && err == nil {
			err = errors.New("the line is empty")
		}
		if code == "" {
			return "", fmt.Errorf("the profile asks for an MFA code and standard input has none: log in first, for example "+
				"with `aws sts get-session-token`, or start this in a terminal (%w)", err)
		}
		return code, nil
	}
}

// stsAt sends AssumeRole to an endpoint, if one is set. For the roles of a profile, the SDK itself ignores
// AWS_ENDPOINT_URL and calls AWS.
type stsAt struct {
	stscreds.AssumeRoleAPIClient
	endpoint string
}

func (s stsAt) AssumeRole(
	ctx context.Context, in *sts.AssumeRoleInput, options ...func(*sts.Options),
) (*sts.AssumeRoleOutput, error) {
	if s.endpoint != "" {
		options = append(options, func(o *sts.Options) { o.BaseEndpoint = &s.endpoint })
	}
	return s.AssumeRoleAPIClient.AssumeRole(ctx, in, options...)
}
