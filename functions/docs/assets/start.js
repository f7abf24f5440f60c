// Draws the page. Everything that would ask another server is off.
Scalar.createApiReference('#api', {
  sources: [
    { title: 'Version 2', slug: 'v2', url: '/openapi/v2.json', default: true },
    { title: 'Version 1', slug: 'v1', url: '/openapi/v1.json' },
  ],
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
});
