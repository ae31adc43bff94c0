// A server on node's ws for tests/interop.rs. What it does with a client depends on the path.
// Prints "listening PORT"; ends with its stdin.
'use strict';

const http = require('node:http');
const { WebSocketServer } = require('ws');

const server = http.createServer((request, response) => {
  response.writeHead(426, { 'Content-Type': 'text/plain' });
  response.end('Upgrade Required');
});

const wss = new WebSocketServer({
  server,
  perMessageDeflate: false,
  maxPayload: 256 * 1024 * 1024,
  handleProtocols: (offered) => (offered.has('v2.chat') ? 'v2.chat' : false),
  verifyClient: ({ req }, answer) => {
    const refused = req.url.startsWith('/refused');
    answer(!refused, 401, 'no entry for you', { 'WWW-Authenticate': 'Basic realm="peers"' });
  },
});

wss.on('connection', (socket, request) => {
  const url = new URL(request.url, 'ws://peer');
  const argument = (name, otherwise) => url.searchParams.get(name) ?? otherwise;
  switch (url.pathname) {
    case '/echo':
      socket.on('message', (data, binary) => socket.send(data, { binary }));
      break;
    case '/chat':
      socket.chats = true;
      socket.on('message', (data, binary) => {
        for (const client of wss.clients) {
          if (client.chats) client.send(data, { binary });
        }
      });
      break;
    case '/time': {
      const timer = setInterval(() => socket.send(new Date().toISOString()), 20);
      socket.on('close', () => clearInterval(timer));
      break;
    }
    case '/late':
      socket.on('message', (data, binary) => {
        setTimeout(() => socket.send(data, { binary }), Number(argument('ms', 300)));
      });
      break;
    case '/kind':
      socket.on('message', (data, binary) => {
        socket.send(`${binary ? 'binary' : 'text'} ${data.length}`);
      });
      break;
    case '/bytes':
      socket.send(Buffer.from([0x00, 0x0a, 0xff, 0x1b]));
      socket.close(1000);
      break;
    case '/ping':
      socket.on('pong', (data) => socket.send(`pong ${data}`));
      socket.ping('12345');
      break;
    case '/subprotocol':
      socket.send(socket.protocol || 'none');
      break;
    case '/header':
      socket.send(request.headers[argument('name', 'host')] ?? 'none');
      break;
    case '/close':
      socket.close(Number(argument('code', 1000)), argument('reason', ''));
      break;
    case '/terminate':
      socket.terminate();
      break;
    default:
      socket.close(1008, `no such path: ${url.pathname}`);
  }
});

server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
