// Runs before every test file: property tests draw the same cases in every CI run, and new ones everywhere else.
import fc from 'fast-check';

if (process.env.CI) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20250825 });
