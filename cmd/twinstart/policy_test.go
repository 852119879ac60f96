package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
	"github.com/twinstart/twinstart/tools/need"
)

// TestPolicy gives a run's user what docs/run-policy.json allows, then all of it but one action at a time. The environment of one function is
// under a customer's key, which Lambda uses in its caller's name:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html.
func TestPolicy(t *testing.T) {
	need.Time(t)
	needs := map[string][]string{look: {"lambda:GetFunction"}, update: {"lambda:UpdateFunctionConfiguration"}, invoke: {"lambda:InvokeFunction"}, "GetAccountSettings": {"lambda:GetAccountSettings"}}
	for _, lacking := range append(policy(t), "") {
		t.Run(lacking, func(t *testing.T) {
			t.Parallel()
			a := newTestAccount(t)
			a.Change(zipA, func(c *api.Configuration) {
				if c.Extra = map[string]any{"KMSKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1"}; lacking == "kms:Decrypt" {
					maps.Copy(c.Extra, double.Unreadable())
				}
			})
			a.before = a.List()
			a.Decide = func(c double.Call) *double.Fault {
				actions := needs[c.Operation]
				if c.Function == zipA && c.Operation == update {
					actions = append(slices.Clone(actions), "kms:Encrypt", "kms:CreateGrant")
				}
				if !slices.Contains(actions, lacking) {
					return nil
				}
				return &double.Fault{Error: double.Denied(lacking)}
			}
			if lacking == "cloudformation:ListStackResources" { // the first call
				a.refused = func() *api.Error { return double.Denied(lacking) }
			}
			out := t.TempDir()
			status, output := a.run(t, nil, measuring(out)...)
			switch lacking {
			case "", "lambda:GetAccountSettings": // without which few functions are measured at a time
				if status != exitOK {
					t.Errorf("status %d: %s", status, output)
				}
			default:
				if status == exitOK || !strings.Contains(output, lacking) {
					t.Errorf("status %d, want the right that is lacking: %s", status, output)
				}
			}
			if diff := a.restored(nil); diff != "" {
				t.Errorf("functions are not as they were: %s", diff)
			}
		})
	}
}
