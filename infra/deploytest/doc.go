// Package deploytest stands the experiment up and takes it down again with the real CDK CLI, against MiniStack, an
// emulator of AWS that nobody here wrote: bootstrap, deploy, compare what is there with the template, deploy again,
// invoke, measure, destroy, and find the account as empty as before. `make test-deploy` installs MiniStack and runs it;
// it is behind the build tag "deploy".
//
// What MiniStack refuses is taken out of the assembly before it is deployed, and named: see refused.
package deploytest
