// Measures live updates of a running service: `node tests/bench/live.mjs <address> <key> [streams] [writes a second] [seconds]`.
// Opens streams of one leaderboard, each with a player of its own, and submits scores that change the top ten. Prints how long it takes from
// sending a submission until each stream has an event with it. An event can be the first with several submissions; the oldest of them counts.
import http from 'node:http';

const [address, key, streams = '1000', rate = '100', seconds = '30'] = process.argv.slice(2);
const LEADERBOARD = `live-${Date.now()}`;
// How many players are in the list: each stream has one of them.
const PLAYERS = Number(streams);
// How long the streams may take to be open, in milliseconds.
const PATIENCE_MS = 60_000;

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'x-api-key': key, 'content-type': 'application/json' };
    const request = http.request(`${address}/api/v1${path}`, { method, headers, agent }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('end', () => (response.statusCode < 300 ? resolve(JSON.parse(text || 'null')) : reject(new Error(`${path}: ${response.statusCode} ${text}`))));
    });
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

// When each version was submitted, in milliseconds, and the latencies of the events.
const sentAt = new Map();
const latencies = [];
let open = 0;
let ended = 0;
let measuring = false;

function openStream(player) {
  return new Promise((resolve, reject) => {
    const path = `/api/v1/leaderboards/${LEADERBOARD}/live?player=${player}`;
    const request = http.get(`${address}${path}`, { agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`a stream got ${response.statusCode}`));
      let [seen, text] = [0, ''];
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
        const blocks = text.split('\n\n');
        text = blocks.pop();
        for (const block of blocks) {
          // The period's version comes before those of entries, which metadata cannot precede.
          const version = Number(/^data: .*?"version":(\d+)/m.exec(block)?.[1] ?? 0);
          if (version === 0) continue;
          if (seen === 0) { open += 1; resolve(); } else if (measuring) {
            for (let oldest = seen + 1; oldest <= version; oldest += 1) {
              const at = sentAt.get(oldest);
              if (at !== undefined) { latencies.push(performance.now() - at); break; }
            }
          }
          seen = Math.max(seen, version);
        }
      });
      response.on('close', () => { ended += 1; });
    });
    request.on('error', reject);
  });
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

await call('PUT', `/leaderboards/${LEADERBOARD}`, {});
const scores = Array.from({ length: PLAYERS }, (_, n) => ({ player: `p${n}`, score: n }));
for (let at = 0; at < PLAYERS; at += 1000) await call('POST', `/leaderboards/${LEADERBOARD}/scores`, { scores: scores.slice(at, at + 1000) });
const gaveUp = setTimeout(() => { console.error(`only ${open} streams are open`); process.exit(1); }, PATIENCE_MS);
for (let n = 0; n < PLAYERS; n += 20) await Promise.all(scores.slice(n, n + 20).map(({ player }) => openStream(player)));
clearTimeout(gaveUp);
console.error(`${open} streams are open`);
measuring = true;
const [beginning, count] = [performance.now(), Number(rate) * Number(seconds)];
let failed = 0;
for (let n = 0; n < count; n += 1) {
  const due = beginning + (n * 1000) / Number(rate);
  const wait = due - performance.now();
  if (wait > 0) await pause(wait);
  const at = performance.now();
  // A new best score of one of the last ten players.
  const submission = { player: `p${PLAYERS - 1 - (n % 10)}`, score: PLAYERS + n };
  call('POST', `/leaderboards/${LEADERBOARD}/scores`, submission).then(({ version }) => sentAt.set(version, at), () => { failed += 1; });
}
const took = (performance.now() - beginning) / 1000;
await pause(2000);
latencies.sort((a, b) => a - b);
const quantile = (fraction) => Math.round(latencies[Math.floor((latencies.length - 1) * fraction)] ?? NaN);
console.log(JSON.stringify({
  streams: open, ended, writes_per_second: Math.round(count / took), failed, events: latencies.length,
  ms: { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), max: quantile(1) },
}));
process.exit(0);
