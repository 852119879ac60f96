// Package deploytest deploys and destroys the experiment with the real CDK CLI against MiniStack, an emulator of AWS
// that is not ours: bootstrap, deploy, compare the resources with the template, deploy again, invoke, measure, destroy,
// and check that the account is as empty as before. `make test-deploy` installs MiniStack and runs these tests, which
// have the build tag "deploy".
//
// Resources that MiniStack refuses are removed from the assembly before the deployment: see refused.
package deploytest
