// One page per decision. Links to pages of this site are written for readers of the repository, and rewritten here.
import { decisions } from './decisions.js';

export default {
  paths: () =>
    decisions().map(({ slug, text }) => ({
      params: { slug },
      content: text.replaceAll('../../apps/docs/', '../').replaceAll('../images/', '../../../docs/images/'),
    })),
};
