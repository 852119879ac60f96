# The tuning state machine in Terraform. template.json and tunestep.zip must be beside this file. They come from a release's tuner archive,
# or from `make tuner-template`, which writes them into dist/tuner.

variable "functions" {
  type        = string
  description = "Names of the functions that may be tuned; orders-* means all names that start with orders-, * every function of the account."
}

variable "bucket" {
  type        = string
  description = "Bucket in the same region for the state machine's program."
}

resource "aws_s3_object" "program" {
  bucket = var.bucket
  key    = "twinstart/tunestep-${filesha256("${path.module}/tunestep.zip")}.zip"
  source = "${path.module}/tunestep.zip"
}

resource "aws_cloudformation_stack" "tuner" {
  name         = "twinstart-tuner"
  capabilities = ["CAPABILITY_IAM"]
  parameters   = { FunctionNames = var.functions }
  template_body = replace(file("${path.module}/template.json"), "\"tunestep.zip\"",
  jsonencode({ S3Bucket = aws_s3_object.program.bucket, S3Key = aws_s3_object.program.key }))
}

output "state_machine" {
  value = aws_cloudformation_stack.tuner.outputs["StateMachine"]
}
