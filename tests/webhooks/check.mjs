// Webhooks of a running Edgeboard, verified with `standardwebhooks` of npm. EDGEBOARD_URL and EDGEBOARD_KEY (the operator's) say
// where. The tenant `webhooks-js` is used.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const { EDGEBOARD_URL: url, EDGEBOARD_KEY: key } = process.env;
const api = '/api/v1';
const received = [];

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(204).end();
  });
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

async function call(method, path, body) {
  const headers = { 'X-API-Key': key, 'X-Tenant-ID': 'webhooks-js', 'Content-Type': 'application/json' };
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

async function nextMessage() {
  for (let tries = 0; tries < 50; tries += 1) {
    await call('POST', '/internal/webhooks/tick');
    if (received.length > 0) return received.shift();
    await new Promise((later) => setTimeout(later, 200));
  }
  throw new Error('no message arrived');
}

const verify = (secret, { headers, body }) => new Webhook(secret).verify(body, headers);

await call('PUT', `${api}/leaderboards/goals`, {});
const hook = { url: `http://127.0.0.1:${server.address().port}/`, events: ['score.accepted'] };
const { secret: first } = await call('PUT', `${api}/webhooks/check`, hook);
await call('POST', `${api}/webhooks/check/ping`);
assert.equal(verify(first, received.shift()).type, 'edgeboard.webhook.ping');

await call('POST', `${api}/leaderboards/goals/scores`, { player: 'José', score: 7 });
const scored = await nextMessage();
assert.equal(verify(first, scored).data.player, 'José');
assert.throws(() => verify(first, { ...scored, body: scored.body.replace('goals', 'g0als') }));

const { secret: second } = await call('POST', `${api}/webhooks/check/rotate`, { overlap_s: 60 });
await call('POST', `${api}/leaderboards/goals/scores`, { player: 'ann', score: 1 });
const rotated = await nextMessage();
assert.equal(verify(first, rotated).data.player, 'ann');
assert.equal(verify(second, rotated).data.player, 'ann');

await call('DELETE', `${api}/webhooks/check`);
await call('DELETE', `${api}/leaderboards/goals`);
server.close();
console.log('standardwebhooks (npm): verified');
