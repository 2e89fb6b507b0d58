// A server on the socket that it is given (descriptor 3), as docs/configuration.md has it.
const { existsSync } = require('node:fs')
const { createServer } = require('node:http')

if (existsSync('broken')) process.exit(7)

let ending = false
const server = createServer((request, response) => {
  setTimeout(() => {
    if (ending) response.setHeader('Connection', 'close')
    response.end('ok')
  }, 20)
})
server.listen({ fd: 3 }, () => process.send('ready'))
process.on('SIGTERM', () => {
  ending = true
  server.close(() => process.exit(0))
})
