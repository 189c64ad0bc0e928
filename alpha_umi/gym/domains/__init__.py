"""The domains of the gym, one module each; `gym.registry` collects them."""
