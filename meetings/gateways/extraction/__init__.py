"""Finding what was said that matters, without a language model: pure calculation over the lines of a transcript."""
