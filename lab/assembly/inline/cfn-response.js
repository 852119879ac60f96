// What CloudFormation puts beside inline code, by its documented interface.
exports.SUCCESS = 'SUCCESS'
exports.FAILED = 'FAILED'
exports.send = (event, context, status, data, id, noEcho) => {
  const body = JSON.stringify({
    Status: status, Reason: 'See the details in CloudWatch Log Stream: ' + context.logStreamName, PhysicalResourceId: id || context.logStreamName,
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId, NoEcho: noEcho || false, Data: data,
  })
  return new Promise((resolve) => {
    const request = require('https').request(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) } }, resolve)
    request.on('error', (error) => resolve(console.log('send(..) failed executing https.request(..): ' + error)))
    request.end(body)
  }).finally(() => context.done?.())
}
