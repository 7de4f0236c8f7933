// Filled by the tests of its module.
