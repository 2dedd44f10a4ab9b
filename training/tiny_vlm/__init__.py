"""How the embedded models of @mmtok/tiny-vlm are made: scenes, questions, training, evaluation, export."""
