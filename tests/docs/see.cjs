// Looks at /docs in Chromium: `node see.cjs <chromium> <profile folder> <address> <screenshot>`.
const { chromium } = require('playwright-core');

// How long the page may take to be drawn, in milliseconds.
const PATIENCE = 60_000;

async function main([executablePath, profile, address, screenshot]) {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  const context = await chromium.launchPersistentContext(profile, { executablePath, args, headless: true, viewport: { width: 1400, height: 1000 } });
  const faults = [];
  const page = context.pages()[0] ?? await context.newPage();
  page.on('console', (message) => { if (message.type() === 'error') faults.push(`console: ${message.text()}`); });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  // What is asked of another origin is refused, and counts.
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (url.startsWith(`${address}/`) || url.startsWith('data:') || url.startsWith('blob:')) return route.continue();
    faults.push(`asked for ${url}`);
    return route.abort();
  });
  await page.goto(`${address}/docs`);
  const described = await (await fetch(`${address}/openapi.json`)).json();
  const operations = Object.values(described.paths).flatMap((path) => Object.values(path)).map((operation) => operation.summary);
  await page.getByRole('heading', { name: described.info.title }).first().waitFor({ timeout: PATIENCE });
  for (const tag of described.tags) {
    const known = page.getByText(tag.name, { exact: false }).first();
    await known.waitFor({ timeout: PATIENCE }).catch(() => faults.push(`the tag ${tag.name} is not drawn`));
  }
  // A group is drawn when it is opened or scrolled to.
  await page.goto(`${address}/docs#tag/ranks`);
  await page.waitForTimeout(2000);
  const text = await page.locator('body').innerText();
  const drawn = operations.filter((summary) => text.includes(summary));
  if (drawn.length < 5) faults.push(`only ${drawn.length} of ${operations.length} operations are drawn`);
  await page.screenshot({ path: screenshot });
  await context.close();
  faults.forEach((fault) => console.error(`error: ${fault}`));
  console.error(`==> ${drawn.length} of ${operations.length} operations drawn at first sight; ${screenshot}`);
  process.exit(faults.length === 0 ? 0 : 1);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`error: ${error.stack ?? error}`);
  process.exit(1);
});
