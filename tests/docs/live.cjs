// Looks at examples/live-board in Chromium:
// `node live.cjs <chromium> <folder> <screenshot> <port> <admin key> <host> <arguments of the host…>`.
const { spawn } = require('node:child_process');
const http = require('node:http');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { chromium } = require('playwright-core');

// How long the service may take to start, in milliseconds: a first start compiles the components.
const START_MS = 300_000;
// How long the page may take to show a change, in milliseconds: the browser and the service may share two busy cores.
const PATIENCE = 20_000;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function main([executablePath, folder, screenshot, port, key, host, ...hostArguments]) {
  const address = `http://127.0.0.1:${port}`;
  let service;

  async function call(method, below, body) {
    const headers = { 'x-api-key': key, 'content-type': 'application/json' };
    const answer = await fetch(`${address}/api/v1${below}`, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${below}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
  const submit = (leaderboard, player, score) => call('POST', `/leaderboards/${leaderboard}/scores`, { player, score });

  async function start() {
    service = spawn(host, ['--listen', `127.0.0.1:${port}`, ...hostArguments], { stdio: 'ignore' });
    const until = Date.now() + START_MS;
    for (;;) {
      const ready = await fetch(`${address}/api/v1/health/ready`).then((answer) => answer.ok, () => false);
      if (ready) return;
      if (Date.now() > until) throw new Error('the service does not start');
      await pause(200);
    }
  }

  // A server of one's own, which gets tickets for its player.
  const tickets = http.createServer(async (request, response) => {
    const issued = await call('POST', '/leaderboards/private/live-tickets', { player: 'ann' }).catch(() => null);
    response.writeHead(issued ? 200 : 502, { 'access-control-allow-origin': '*', 'content-type': 'application/json' });
    response.end(JSON.stringify(issued));
  });
  await new Promise((resolve) => { tickets.listen(0, '127.0.0.1', resolve); });

  await start();
  for (const [leaderboard, read] of [['goals', 'public'], ['private', 'private']]) {
    await call('PUT', `/leaderboards/${leaderboard}`, { access: { read } });
    await submit(leaderboard, 'ann', 5);
  }
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  const context = await chromium.launchPersistentContext(path.join(folder, 'profile'), { executablePath, args, headless: true });
  const faults = [];
  const file = pathToFileURL(path.resolve('examples/live-board/index.html'));
  const open = async (parameters) => {
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
    await page.goto(`${file}?${new URLSearchParams({ address, ...parameters })}`);
    return page;
  };
  const shows = async (page, what, rows, own) => {
    const expected = { rows, own };
    const found = () => page.evaluate(() => ({
      rows: [...document.querySelectorAll('#entries tr')].map((row) => [...row.cells].map((cell) => cell.textContent).join(' ')),
      own: document.getElementById('own').textContent,
    }));
    const until = Date.now() + PATIENCE;
    while (JSON.stringify(await found()) !== JSON.stringify(expected)) {
      if (Date.now() > until) {
        faults.push(`${what}: the page shows ${JSON.stringify(await found())}`);
        return;
      }
      await pause(50);
    }
    console.error(`==> ${what}`);
  };

  const pages = [
    ['goals', await open({ leaderboard: 'goals', player: 'ann' })],
    ['private', await open({ leaderboard: 'private', ticketUrl: `http://127.0.0.1:${tickets.address().port}/` })],
  ];
  for (const [leaderboard, page] of pages) {
    await shows(page, `${leaderboard}: the state`, ['1 ann 5'], 'Your rank: 1 of 1 (5)');
    await submit(leaderboard, 'bob', 9);
    await shows(page, `${leaderboard}: a score that was submitted`, ['1 bob 9', '2 ann 5'], 'Your rank: 2 of 2 (5)');
  }
  service.kill('SIGKILL');
  await pause(500);
  await start();
  for (const [leaderboard, page] of pages) {
    await submit(leaderboard, 'ann', 10);
    await shows(page, `${leaderboard}: a score after a restart`, ['1 ann 10', '2 bob 9'], 'Your rank: 1 of 2 (10)');
  }
  await pages[0][1].screenshot({ path: screenshot });
  await context.close();
  tickets.close();
  service.kill('SIGKILL');
  faults.forEach((fault) => console.error(`error: ${fault}`));
  process.exit(faults.length === 0 ? 0 : 1);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`error: ${error.stack ?? error}`);
  process.exit(1);
});
