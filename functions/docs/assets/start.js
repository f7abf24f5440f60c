// Draws the page. Everything that would ask another server is off.
Scalar.createApiReference('#api', {
  url: '/openapi.json',
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
});
