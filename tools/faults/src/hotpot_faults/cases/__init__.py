"""The cases of ../shared/cases that need a network: their inputs, with what is right judged."""
