"""What attackers do; each attack is bounded in time, in count and in what it holds open."""
