// The page's entry.

import { render } from 'preact';
import { App } from './components/app.js';
import { openPage } from './state/page.js';

const root = document.getElementById('app');
if (root !== null) {
  void openPage();
  render(<App />, root);
}
